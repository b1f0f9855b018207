with

source as (

    select * from {{ source('raw', 'people_signature_changes') }}

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

renamed as (

    select
        ---------- ids
        cast(change_id as string) as change_id,
        addresses.person_key,
        'people_signature_changes' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        addresses.email_domain,
        addresses.email_key,
        addresses.email_status,
        cast(from_title as string) as from_title,
        cast(to_title as string) as to_title,

        ---------- numerics
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast(seen_at as timestamp) as seen_at,
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
