with

source as (

    select * from {{ source('raw', 'crm_contacts') }}

),

renamed as (

    select
        ---------- ids
        cast(contact_id as string) as contact_id,
        cast(account_id as string) as account_id,
        {{ name_key('name') }} as name_key,
        {{ person_key('email') }} as person_key,
        'crm_contacts' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        {{ email_domain('email') }} as email_domain,
        cast(title as string) as title,
        cast(function as string) as function,
        cast(deal_role as string) as deal_role,
        cast(lawful_basis as string) as lawful_basis,
        cast(status as string) as status,

        ---------- numerics
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(has_consent as boolean) as has_consent,
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast(updated_at as timestamp) as updated_at,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

)

select * from renamed
