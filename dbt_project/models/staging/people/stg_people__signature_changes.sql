with

source as (

    select * from {{ source('raw', 'people_signature_changes') }}

),

renamed as (

    select
        ---------- ids
        cast(change_id as string) as change_id,
        {{ person_key('email') }} as person_key,
        'people_signature_changes' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        {{ email_domain('email') }} as email_domain,
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

)

select * from renamed
