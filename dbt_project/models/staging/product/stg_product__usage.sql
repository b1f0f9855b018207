with

source as (

    select * from {{ source('raw', 'product_usage') }}

),

id_overrides as (

    {{ id_overrides() }}

),

renamed as (

    select
        ---------- ids
        cast(usage_id as string) as usage_id,
        {{ account_by_id() }} as account_id,
        cast(subscription_id as string) as subscription_id,
        cast(user_id as string) as user_id,
        'product_usage' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(feature as string) as feature,

        ---------- numerics
        cast(event_count as bigint) as event_count,
        cast(minutes as double) as minutes,
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,
        id_overrides.overridden_id is not null as is_account_overridden,

        ---------- dates and times
        cast(used_on as date) as used_on,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

    {{ join_id_overrides() }}

)

select * from renamed
