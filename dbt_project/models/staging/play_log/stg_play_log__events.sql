with

source as (

    select * from {{ source('raw', 'play_log') }}

),

renamed as (

    select
        ---------- ids
        cast(event_id as string) as event_id,
        cast(card_id as string) as card_id,
        cast(account_id as string) as account_id,
        'play_log' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(trigger as string) as trigger,
        cast(event_type as string) as event_type,
        cast(actor as string) as actor,
        cast(reason as string) as reason,
        cast(currency as string) as currency,
        cast(note as string) as note,

        ---------- numerics
        cast(amount as double) as amount,
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast({{ adapter.quote('at') }} as timestamp) as acted_at,
        cast(until as date) as revisit_on,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

)

select * from renamed
