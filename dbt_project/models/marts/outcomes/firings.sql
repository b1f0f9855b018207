{{ config(materialized='view', contract={'enforced': false}) }}

with

firing_events as (

    select * from {{ source('triggers', 'firing_events') }}

),

last_day as (

    select max(as_of_date) as as_of_date from {{ ref('account_day') }}

),

firings as (

    select
        firing_id,
        min(account_id) as account_id,
        min(trigger) as trigger,
        min(sub_trigger) as sub_trigger,
        min(subject_key) as subject_key,
        min(case when event_type = 'opened' and reason <> 'fleet_released' then reason end) as opened_reason,
        min(case when event_type in ('closed', 'superseded') then event_type end) as ended_as,
        min(case when event_type in ('closed', 'superseded') then reason end) as close_reason,
        min(case when event_type in ('opened', 'suppressed') then as_of_date end) as opened_on,
        min(case when event_type in ('closed', 'superseded') then as_of_date end) as ended_on,
        max(case when event_type = 'returned' then as_of_date end) as last_returned_on,
        max(case when reason = 'fleet_released' then as_of_date end) as released_on,
        max(case when event_type = 'opened' then strength end) as strength,
        max(case when event_type = 'opened' then 1 else 0 end) = 1 as has_opened,
        max(case when is_initial_state then 1 else 0 end) = 1 as is_initial_state,
        max(case when is_fleet_event then 1 else 0 end) = 1 as is_fleet_event,
        max(case when is_shadow then 1 else 0 end) = 1 as is_shadow

    from firing_events

    group by firing_id

)

select
    ---------- ids
    firings.firing_id,
    firings.account_id,
    firings.trigger,
    firings.sub_trigger,
    firings.subject_key,

    ---------- state
    case
        when not firings.has_opened then 'suppressed'
        else coalesce(firings.ended_as, 'open')
    end as state,
    firings.opened_reason,
    firings.close_reason,
    firings.strength,
    firings.is_initial_state,
    firings.is_fleet_event,
    firings.is_shadow,

    ---------- dates
    firings.opened_on,
    firings.released_on,
    firings.last_returned_on,
    firings.ended_on,
    case
        when firings.has_opened
            then {{ dbt.datediff('firings.opened_on', 'coalesce(firings.ended_on, last_day.as_of_date)', 'day') }}
    end as duration_days

from firings

cross join last_day
