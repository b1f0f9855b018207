with

source as (

    select * from {{ source('raw', 'crm_meetings') }}

),

id_overrides as (

    {{ id_overrides() }}

),

renamed as (

    select
        ---------- ids
        cast(meeting_id as string) as meeting_id,
        {{ account_by_id() }} as account_id,
        'crm_meetings' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(kind as string) as kind,
        cast(status as string) as status,

        ---------- numerics
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_external as boolean) as is_external,
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,
        id_overrides.overridden_id is not null as is_account_overridden,

        ---------- dates and times
        cast(planned_for as timestamp) as planned_for,
        cast(held_at as timestamp) as held_at,
        cast(updated_at as timestamp) as updated_at,
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
