with

source as (

    select * from {{ source('raw', 'product_features') }}

),

renamed as (

    select
        ---------- ids
        cast(feature as string) as feature,
        'product_features' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(tier as string) as tier,
        cast(module as string) as module,

        ---------- numerics
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast(introduced_on as date) as introduced_on,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

)

select * from renamed
