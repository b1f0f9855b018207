with

source as (

    select * from {{ source('raw', 'people_job_alerts') }}

),

renamed as (

    select
        ---------- ids
        cast(alert_id as string) as alert_id,
        {{ name_key('person_name') }} as name_key,
        {{ person_key('person_email') }} as person_key,
        'people_job_alerts' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        {{ registrable_domain('account_domain') }} as account_domain,
        {{ email_domain('person_email') }} as email_domain,
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

)

select * from renamed
