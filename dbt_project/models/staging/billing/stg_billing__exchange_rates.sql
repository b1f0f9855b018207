with

source as (

    select * from {{ source('raw', 'billing_exchange_rates') }}

),

renamed as (

    select
        ---------- ids
        cast(currency as string) as currency,
        'billing_exchange_rates' as source_table,
        cast(row_key as string) as row_key,

        ---------- numerics
        cast(rate_to_eur as double) as rate_to_eur,
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast(rate_on as date) as rate_on,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

)

select * from renamed
