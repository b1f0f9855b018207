with

source as (

    select * from {{ source('raw', 'engagement_events') }}

),

renamed as (

    select
        ---------- ids
        cast(event_id as string) as event_id,
        cast(account_id as string) as account_id,
        {{ person_key('person_email') }} as person_key,
        'engagement_events' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(kind as string) as kind,
        cast(title as string) as title,
        cast(motion as string) as motion,

        ---------- numerics
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast(occurred_at as timestamp) as occurred_at,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

)

select * from renamed
