{{ config(meta={'window_column': 'known_on'}) }}

with

timeline_events as (

    select * from {{ ref('timeline_events') }}

    where {{ newly_known('known_on') }}

),

firing_events as (

    select * from {{ source('triggers', 'firing_events') }}

    where {{ newly_known('as_of_date') }}
        and not is_shadow

)

select
    event_key,
    account_id,
    kind,
    summary,
    source_table,
    row_key,
    person_key,
    cast(null as string) as firing_id,
    happened_at,
    known_at,
    known_on

from timeline_events

union all

select
    event_id as event_key,
    account_id,
    'firing_' || event_type as kind,
    sub_trigger || ': ' || subject_key || coalesce(', ' || replace(reason, '_', ' '), '') as summary,
    'triggers.firing_events' as source_table,
    event_id as row_key,
    case when trigger = 'ROLE_CHANGE' then subject_key end as person_key,
    firing_id,
    happened_at,
    known_at,
    as_of_date as known_on

from firing_events
