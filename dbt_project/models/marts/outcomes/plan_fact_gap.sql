with

card_funnel as (

    select * from {{ ref('card_funnel') }}
    where {{ in_run_window('as_of_date') }}

),

plan_lines as (

    select * from {{ source('control', 'plan_lines') }}

),

days as (

    select * from {{ source('control', 'days') }}
    where {{ in_run_window('as_of_date') }}

),

periods as (

    select
        days.as_of_date,
        plan_lines.line_key,
        plan_lines.trigger,
        plan_lines.play,
        {{ add_days('days.as_of_date', '1 - plan_lines.period_days') }} as period_start,
        days.as_of_date as period_end
    from days
    cross join plan_lines

),

-- A line with a play counts conversations by the card's due date; a line without counts outcomes of held ones.
-- Rejected or closed in time: nothing is owed any more. Paused clocks have no due date and are not counted.
promises as (

    select
        periods.as_of_date,
        periods.line_key,
        periods.period_start,
        periods.period_end,
        case when periods.play is null then card_funnel.outcome_due_on else card_funnel.due_on end as promised_on,
        case
            when periods.play is null then card_funnel.outcome_at is not null
            else card_funnel.conversation_held_at is not null
        end as is_kept,
        case
            when periods.play is null then card_funnel.outcome_at is not null
            else coalesce(card_funnel.conversation_held_on <= card_funnel.due_on, false)
        end as is_done,
        case
            when periods.play is null then card_funnel.conversation_held_at is not null
            when card_funnel.conversation_held_at is not null then true
            when card_funnel.decision = 'rejected'
                then card_funnel.decided_on > card_funnel.due_on
            when card_funnel.status = 'closed' then card_funnel.closed_on > card_funnel.due_on
            else true
        end as is_owed
    from periods
    inner join card_funnel
        on periods.as_of_date = card_funnel.as_of_date
        and (periods.trigger is null or periods.trigger = card_funnel.trigger)
        and (periods.play is null or periods.play = card_funnel.play)

),

promises_counted as (

    select
        as_of_date,
        line_key,
        sum(case when promised_on between period_start and period_end then 1 else 0 end) as planned,
        sum(case when promised_on between period_start and period_end and is_done then 1 else 0 end) as done,
        sum(case when promised_on > period_end and not is_kept then 1 else 0 end) as open_not_due
    from promises
    where is_owed and promised_on is not null
    group by as_of_date, line_key

),

lines_with_gap as (

    select
        periods.as_of_date,
        periods.line_key,
        periods.period_start,
        periods.period_end,
        cast(coalesce(promises_counted.planned, 0) as integer) as planned,
        cast(coalesce(promises_counted.done, 0) as integer) as done,
        cast(coalesce(promises_counted.planned, 0) - coalesce(promises_counted.done, 0) as integer) as gap,
        cast(coalesce(promises_counted.open_not_due, 0) as integer) as open_not_due
    from periods
    left join promises_counted
        on periods.as_of_date = promises_counted.as_of_date
        and periods.line_key = promises_counted.line_key

)

select * from lines_with_gap
