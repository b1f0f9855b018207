with

cards as (

    select * from {{ source('readiness', 'cards') }}
    where {{ in_run_window('as_of_date') }}

),

card_reviews as (

    select * from {{ source('readiness', 'card_reviews') }}

),

-- What was known by the end of the day, since the card's present clock started.
known_reviews as (

    select
        cards.card_id,
        cards.as_of_date,
        card_reviews.event_id,
        card_reviews.event_type,
        card_reviews.at as happened_at,
        card_reviews.known_at,
        card_reviews.is_inferred
    from cards
    inner join card_reviews
        on cards.card_id = card_reviews.card_id
        and card_reviews.known_on >= cards.clock_started_on
        and card_reviews.known_on <= cards.as_of_date

),

steps_pivoted as (

    select
        card_id,
        as_of_date,
        min(case when event_type = 'delivered' then happened_at end) as delivered_at,
        min(case when event_type = 'acknowledged' then happened_at end) as acknowledged_at,
        min(case when event_type = 'play_started' then happened_at end) as play_started_at,
        min(case when event_type = 'outreach_sent' then happened_at end) as outreach_sent_at,
        min(case when event_type = 'customer_responded' then happened_at end) as customer_responded_at,
        min(case when event_type = 'conversation_held' and not is_inferred then happened_at end) as logged_conversation_at,
        min(case when event_type = 'conversation_held' and is_inferred then happened_at end) as inferred_conversation_at,
        min(case when event_type = 'opportunity_linked' then happened_at end) as opportunity_linked_at,
        max(case when event_type = 'outcome_logged' then happened_at end) as outcome_at
    from known_reviews
    group by card_id, as_of_date

),

-- Owners change their minds: the latest decision stands.
decisions_ranked as (

    select
        card_id,
        as_of_date,
        happened_at as decided_at,
        event_type as decision,
        row_number() over (
            partition by card_id, as_of_date
            order by happened_at desc nulls last, known_at desc nulls last, event_id desc nulls last
        ) as decision_no
    from known_reviews
    where event_type in ('accepted', 'rejected', 'too_early')

),

funnel as (

    select
        cards.as_of_date,
        cards.card_id,
        cards.account_id,
        cards.trigger,
        cards.play,
        cards.status,
        cards.detected_on,
        cards.due_on,
        cards.closed_on,
        cards.decided_on,
        cards.conversation_held_on,
        cards.outcome_due_on,
        steps_pivoted.delivered_at,
        steps_pivoted.acknowledged_at,
        decisions_ranked.decided_at,
        decisions_ranked.decision,
        steps_pivoted.play_started_at,
        steps_pivoted.outreach_sent_at,
        steps_pivoted.customer_responded_at,
        coalesce(steps_pivoted.logged_conversation_at, steps_pivoted.inferred_conversation_at) as conversation_held_at,
        (
            steps_pivoted.logged_conversation_at is null
            and steps_pivoted.inferred_conversation_at is not null
        ) as is_conversation_inferred,
        steps_pivoted.opportunity_linked_at,
        steps_pivoted.outcome_at
    from cards
    left join steps_pivoted
        on cards.card_id = steps_pivoted.card_id
        and cards.as_of_date = steps_pivoted.as_of_date
    left join decisions_ranked
        on cards.card_id = decisions_ranked.card_id
        and cards.as_of_date = decisions_ranked.as_of_date
        and decisions_ranked.decision_no = 1

),

funnel_staged as (

    select
        funnel.*,
        case
            when outcome_at is not null then 'outcome_logged'
            when decision = 'rejected' then 'rejected'
            when opportunity_linked_at is not null then 'opportunity_linked'
            when conversation_held_at is not null then 'conversation_held'
            when customer_responded_at is not null then 'customer_responded'
            when outreach_sent_at is not null then 'outreach_sent'
            when play_started_at is not null then 'play_started'
            when decision is not null then decision
            when acknowledged_at is not null then 'acknowledged'
            when delivered_at is not null then 'delivered'
            else 'detected'
        end as stage
    from funnel

)

select * from funnel_staged
