with

source as (

    select * from {{ source('raw', 'crm_owners') }}

),

addresses as (

    select address as spelt_address, person_key, email_domain, email_key from {{ ref('stg_identity__addresses') }}

),

renamed as (

    select
        ---------- ids
        cast(owner_id as string) as owner_id,
        addresses.person_key,
        'crm_owners' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(name as string) as name,
        cast(role as string) as role,
        cast(country as string) as country,

        ---------- numerics
        cast(version_no as bigint) as version_no,

        ---------- booleans
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

    left join addresses on source.email = addresses.spelt_address

)

select * from renamed
