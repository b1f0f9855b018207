{{ config(meta={'window_column': 'known_on'}) }}

with

play_log_events as (

    select * from {{ ref('stg_play_log__events') }}

    where version_no = 1
        and {{ newly_known('known_on') }}

)

select
    ---------- ids
    event_id,
    card_id,
    account_id,
    row_key,

    ---------- texts
    trigger,
    event_type,
    actor,
    reason,
    currency,
    note,

    ---------- numerics
    amount,

    ---------- dates and times
    acted_at as {{ adapter.quote('at') }},
    revisit_on as until,
    known_from as known_at,
    known_on

from play_log_events
