with

source as (

    select * from {{ source('raw', 'growth_headcount') }}

),

renamed as (

    select
        ---------- ids
        {{ registrable_domain('account_domain') }} as account_domain,
        {{ clean_label('department') }} as department,
        'growth_headcount' as source_table,
        cast(row_key as string) as row_key,

        ---------- numerics
        cast(headcount as bigint) as headcount,
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast(observed_on as date) as observed_on,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

)

select * from renamed
