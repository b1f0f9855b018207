with

source as (

    select * from {{ source('raw', 'billing_prices') }}

),

renamed as (

    select
        ---------- ids
        cast(price_id as string) as price_id,
        'billing_prices' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(product as string) as product,
        cast(tier as string) as tier,
        cast(unit as string) as unit,
        cast(currency as string) as currency,

        ---------- numerics
        cast(price as double) as price,
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast(valid_from as date) as valid_from,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

)

select * from renamed
