with

source as (

    select * from {{ source('raw', 'support_tickets') }}

),

addresses as (

    select
        address as spelt_address,
        person_key,
        email_domain,
        email_key,
        status as email_status

    from {{ ref('stg_identity__addresses') }}

),

id_overrides as (

    {{ id_overrides() }}

),

renamed as (

    select
        ---------- ids
        cast(ticket_id as string) as ticket_id,
        {{ account_by_id() }} as account_id,
        addresses.person_key as requester_key,
        'support_tickets' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        addresses.email_domain,
        addresses.email_key,
        addresses.email_status,
        {{ clean_label('department') }} as department,
        cast(subject as string) as subject,
        cast(body as string) as body,
        cast(topic as string) as topic,
        cast(priority as string) as priority,
        cast(status as string) as status,

        ---------- numerics
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_escalated as boolean) as is_escalated,
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,
        id_overrides.overridden_id is not null as is_account_overridden,

        ---------- dates and times
        cast(created_at as timestamp) as created_at,
        cast(closed_at as timestamp) as closed_at,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

    left join addresses on source.requester_email = addresses.spelt_address

    {{ join_id_overrides() }}

)

select * from renamed
