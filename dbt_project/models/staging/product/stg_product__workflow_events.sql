with

source as (

    select * from {{ source('raw', 'product_workflow_events') }}

),

id_overrides as (

    {{ id_overrides() }}

),

renamed as (

    select
        ---------- ids
        cast(event_id as string) as event_id,
        {{ account_by_id() }} as account_id,
        cast(user_id as string) as user_id,
        'product_workflow_events' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(kind as string) as kind,

        ---------- numerics
        cast(quantity as double) as quantity,
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,
        id_overrides.overridden_id is not null as is_account_overridden,

        ---------- dates and times
        cast(occurred_at as timestamp) as occurred_at,
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
