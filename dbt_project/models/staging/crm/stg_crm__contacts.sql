with

source as (

    select * from {{ source('raw', 'crm_contacts') }}

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

names as (

    select name as spelt_name, name_key from {{ source('identity', 'names') }}

),

titles as (

    select title as spelt_title, rank_no as title_rank from {{ source('identity', 'titles') }}

),

id_overrides as (

    {{ id_overrides() }}

),

renamed as (

    select
        ---------- ids
        cast(contact_id as string) as contact_id,
        {{ account_by_id() }} as account_id,
        names.name_key,
        addresses.person_key,
        'crm_contacts' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        addresses.email_domain,
        addresses.email_key,
        addresses.email_status,
        cast(title as string) as title,
        cast(function as string) as function,
        cast(deal_role as string) as deal_role,
        cast(lawful_basis as string) as lawful_basis,
        cast(status as string) as status,

        ---------- numerics
        cast(titles.title_rank as bigint) as title_rank,
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(has_consent as boolean) as has_consent,
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,
        id_overrides.overridden_id is not null as is_account_overridden,

        ---------- dates and times
        cast(updated_at as timestamp) as updated_at,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

    left join addresses on source.email = addresses.spelt_address

    left join names on source.name = names.spelt_name

    left join titles on source.title = titles.spelt_title

    {{ join_id_overrides() }}

)

select * from renamed
