with

source as (

    select * from {{ source('raw', 'crm_owner_notes') }}

),

id_overrides as (

    {{ id_overrides() }}

),

renamed as (

    select
        ---------- ids
        cast(note_id as string) as note_id,
        {{ account_by_id() }} as account_id,
        cast(author_id as string) as author_id,
        'crm_owner_notes' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(body as string) as body,

        ---------- numerics
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,
        id_overrides.overridden_id is not null as is_account_overridden,

        ---------- dates and times
        cast(written_at as timestamp) as written_at,
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
