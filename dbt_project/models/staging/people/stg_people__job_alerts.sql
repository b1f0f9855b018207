with

source as (

    select * from {{ source('raw', 'people_job_alerts') }}

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

domains as (

    select domain as spelt_domain, company_domain, status as domain_status from {{ ref('stg_identity__domains') }}

),

renamed as (

    select
        ---------- ids
        cast(alert_id as string) as alert_id,
        names.name_key,
        addresses.person_key,
        'people_job_alerts' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        domains.company_domain as account_domain,
        domains.domain_status,
        addresses.email_domain,
        addresses.email_key,
        addresses.email_status,
        cast(move as string) as move,
        cast(from_title as string) as from_title,
        cast(to_title as string) as to_title,
        cast(function as string) as function,

        ---------- numerics
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast(happened_on as date) as happened_on,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

    left join addresses on source.person_email = addresses.spelt_address

    left join names on source.person_name = names.spelt_name

    left join domains on source.account_domain = domains.spelt_domain

)

select * from renamed
