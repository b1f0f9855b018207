with

account_days as (

    select * from {{ ref('int_account_days') }}

),

account_sources as (

    select * from {{ ref('int_account_sources') }}

),

account_measures as (

    select * from {{ ref('int_account_measures') }}

),

power_users as (

    select * from {{ ref('int_power_users') }}

),

saturation as (

    select * from {{ ref('int_department_saturation') }}

),

latest_facts as (

    select * from {{ ref('int_account_latest') }}

),

lists as (

    select * from {{ ref('int_account_lists') }}

),

{% if is_incremental() -%}
frozen_rows as (

    select * from {{ this }}

    where as_of_date < {{ window_start() }}
        and as_of_date >= {{ add_days(window_start(), -var('growth_days')) }}

),

{% endif -%}
joined as (

    select
        account_days.*,
        account_sources.watchable_product,
        account_sources.watchable_identity,
        account_sources.watchable_contacts,
        account_sources.watchable_billing,
        account_sources.watchable_people,
        account_sources.watchable_support,
        account_sources.watchable_ticket_texts,
        account_sources.watchable_feedback,
        account_sources.watchable_meetings,
        account_sources.watchable_notes,
        account_sources.watchable_growth,
        account_sources.watchable_engagement,
        {{ add_days('account_days.renewal_on', '-account_days.notice_days') }} as opt_out_on,
        case
            when account_sources.watchable_billing and account_measures.seat_lines > 0
                then cast(account_measures.contracted_seats as double)
        end as contracted_seats,
        case
            when account_sources.watchable_billing and account_measures.priced_seats > 0
                then
                    cast(account_measures.seat_value as double)
                    / cast(account_measures.priced_seats as double)
        end as seat_unit_price,
        case when account_sources.watchable_billing then lists.seat_currencies end as seat_currency,
        case
            when account_sources.watchable_billing
                then account_measures.restricting_lines > 0
        end as restricts_departments,
        case
            when account_sources.watchable_billing and account_measures.known_invoices > 0
                then coalesce({{ dbt.datediff('lists.oldest_due_on', 'account_days.as_of_date', 'day') }}, 0)
        end as invoice_days_late,
        {% for column, measure in [
            ('active_users_28d', 'active_users'), ('withdrawn_users_28d', 'withdrawn_users'), ('excluded_users_28d', 'excluded_users'),
            ('assigned_seats', 'assigned_seats'), ('active_assigned_users_28d', 'active_assigned_users'),
            ('advanced_features_28d', 'advanced_features'), ('usage_events_28d', 'usage_events'),
            ('limit_events_28d', 'limit_events'), ('workflow_events_28d', 'workflow_events'),
        ] -%}
        case
            when account_sources.watchable_product
                then cast(account_measures.{{ measure }} as bigint)
        end as {{ column }},
        {% endfor -%}
        case
            when account_sources.watchable_product then cast(account_measures.usage_minutes as double)
        end as usage_minutes_28d,
        case
            when account_sources.watchable_product then cast(account_measures.export_rows as double)
        end as export_rows_28d,
        case
            when account_sources.watchable_product
                then coalesce(power_users.power_users, 0)
        end as power_users_28d,
        case
            when account_sources.watchable_billing and account_measures.licensed_departments > 0
                then cast(account_measures.licensed_departments as bigint)
        end as licensed_departments,
        case
            when account_sources.watchable_product
                and account_sources.watchable_identity
                and account_sources.watchable_billing
                then saturation.saturated_departments
        end as saturated_departments,
        case
            when account_sources.watchable_product
                and account_sources.watchable_identity
                and account_sources.watchable_billing
                then saturation.saturated_core_users_min
        end as saturated_core_users_min,
        {% for column, measure in [
            ('open_tickets', 'open_tickets'), ('open_high_tickets', 'open_high_tickets'),
            ('open_escalations', 'open_escalations'), ('tickets_30d', 'tickets'),
        ] -%}
        case
            when account_sources.watchable_support
                then cast(account_measures.{{ measure }} as bigint)
        end as {{ column }},
        {% endfor -%}
        case
            when account_sources.watchable_support
                then lists.open_ticket_departments
        end as open_ticket_departments,
        case when account_sources.watchable_feedback then latest_facts.last_nps_score end as last_nps_score,
        case when account_sources.watchable_feedback then latest_facts.last_nps_on end as last_nps_on,
        latest_facts.health_score,
        latest_facts.health_band,
        latest_facts.last_value_proof_on,
        latest_facts.headcount_growth_yoy_pct,
        lists.goal_motions,
        {% for measure in ['champions', 'consented_contacts', 'refused_contacts'] -%}
        case
            when account_sources.watchable_contacts
                then cast(account_measures.{{ measure }} as bigint)
        end as {{ measure }},
        {% endfor -%}
        {% for column, measure in [
            ('executive_meetings_90d', 'executive_meetings'), ('value_milestones_90d', 'value_milestones'),
        ] -%}
        case
            when account_sources.watchable_engagement
                then cast(account_measures.{{ measure }} as bigint)
        end as {{ column }},
        {% endfor -%}
        {% for column, measure in [('growth_events_90d', 'growth_events'), ('intent_topics_30d', 'intent_topics')] -%}
        case
            when account_sources.watchable_growth
                then cast(account_measures.{{ measure }} as bigint)
        end as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}

    from account_days

    inner join account_sources
        on account_days.account_id = account_sources.account_id
        and account_days.as_of_date = account_sources.as_of_date

    inner join account_measures
        on account_days.account_id = account_measures.account_id
        and account_days.as_of_date = account_measures.as_of_date

    left join power_users
        on account_days.account_id = power_users.account_id
        and account_days.as_of_date = power_users.as_of_date

    left join saturation
        on account_days.account_id = saturation.account_id
        and account_days.as_of_date = saturation.as_of_date

    left join latest_facts
        on account_days.account_id = latest_facts.account_id
        and account_days.as_of_date = latest_facts.as_of_date

    left join lists
        on account_days.account_id = lists.account_id
        and account_days.as_of_date = lists.as_of_date

),

seat_history as (

    select
        account_id,
        as_of_date,
        false as is_frozen,
        active_users_28d,
        case
            when watchable_product and watchable_billing and contracted_seats > 0 then contracted_seats
        end as watched_seats,
        cast(null as date) as frozen_changed_on,
        cast(null as double) as frozen_seats_before,
        cast(null as bigint) as frozen_active_users

    from joined

    {% if is_incremental() -%}
    union all

    -- What the last frozen day knew of the seats; the run goes on from there.
    select
        account_id,
        as_of_date,
        true as is_frozen,
        active_users_28d,
        last_watched_seats as watched_seats,
        seats_changed_on as frozen_changed_on,
        seats_before_change as frozen_seats_before,
        active_users_at_seat_change as frozen_active_users

    from frozen_rows

    where as_of_date = (select max(frozen_rows.as_of_date) from frozen_rows)
    {%- endif %}

),

seat_comparison as (

    select
        *,
        {{ last_not_null('watched_seats', 'account_id', 'as_of_date', '1 preceding') }} as previous_seats,
        {{ last_not_null('watched_seats', 'account_id', 'as_of_date') }} as last_watched_seats

    from seat_history

),

seat_changes as (

    select
        *,
        not is_frozen
            and watched_seats is not null
            and previous_seats is not null
            and watched_seats <> previous_seats as is_change

    from seat_comparison

),

seat_epochs as (

    select
        account_id,
        as_of_date,
        is_frozen,
        last_watched_seats,
        {{ last_not_null(
            'case when is_frozen then frozen_changed_on when is_change then as_of_date end', 'account_id', 'as_of_date'
        ) }} as seats_changed_on,
        {{ last_not_null(
            'case when is_frozen then frozen_seats_before when is_change then previous_seats end', 'account_id', 'as_of_date'
        ) }} as seats_before_change,
        {{ last_not_null(
            'case when is_frozen then frozen_active_users when is_change then active_users_28d end', 'account_id', 'as_of_date'
        ) }} as active_users_at_seat_change

    from seat_changes

),

earlier_activity as (

    select account_id, {{ add_days('as_of_date', var('growth_days')) }} as as_of_date, active_users_28d from joined

    {% if is_incremental() -%}
    union all

    select account_id, {{ add_days('as_of_date', var('growth_days')) }} as as_of_date, active_users_28d from frozen_rows
    {%- endif %}

)

select
    ---------- ids
    joined.account_id,
    joined.as_of_date,
    joined.owner_id,
    joined.ae_id,

    ---------- account
    joined.account_name,
    joined.segment,
    joined.country,
    joined.arr,
    joined.currency,
    joined.use_case,
    joined.using_function,
    joined.account_status,
    joined.first_paid_on,
    cast({{ dbt.datediff('joined.first_paid_on', 'joined.as_of_date', 'day') }} as bigint) as account_age_days,
    joined.renewal_on,
    joined.notice_days,
    joined.opt_out_on,
    cast(
        case
            when joined.opt_out_on >= joined.as_of_date
                then {{ var('renewal_horizon_days') }} - {{ dbt.datediff('joined.as_of_date', 'joined.opt_out_on', 'day') }}
        end as bigint
    ) as renewal_closeness_days,

    ---------- what can be watched
    joined.watchable_product,
    joined.watchable_identity,
    true as watchable_crm,
    joined.watchable_contacts,
    joined.watchable_billing,
    joined.watchable_people,
    joined.watchable_support,
    joined.watchable_ticket_texts,
    joined.watchable_feedback,
    joined.watchable_meetings,
    joined.watchable_notes,
    joined.watchable_growth,
    joined.watchable_engagement,
    (joined.watchable_support and joined.watchable_ticket_texts)
        or joined.watchable_feedback
        or joined.watchable_meetings
        or joined.watchable_notes as watchable_text,

    ---------- seats
    joined.contracted_seats,
    seat_epochs.last_watched_seats,
    seat_epochs.seats_changed_on,
    seat_epochs.seats_before_change,
    seat_epochs.active_users_at_seat_change,
    joined.active_users_28d,
    earlier_activity.active_users_28d as active_users_28d_60d_ago,
    100.0 * (joined.active_users_28d - earlier_activity.active_users_28d)
        / nullif(earlier_activity.active_users_28d, 0) as seat_growth_60d_pct,
    joined.assigned_seats,
    joined.active_assigned_users_28d,
    100.0 * joined.active_users_28d / nullif(joined.contracted_seats, 0) as seat_utilization_pct,
    100.0 * joined.active_assigned_users_28d / nullif(joined.assigned_seats, 0) as assigned_utilization_pct,
    joined.seat_unit_price,
    joined.seat_currency,
    joined.excluded_users_28d,
    joined.withdrawn_users_28d,

    ---------- departments
    joined.licensed_departments,
    cast(joined.saturated_departments as bigint) as saturated_departments,
    cast(joined.saturated_core_users_min as bigint) as saturated_core_users_min,
    joined.restricts_departments,

    ---------- use
    joined.advanced_features_28d,
    cast(joined.power_users_28d as bigint) as power_users_28d,
    joined.usage_minutes_28d,
    joined.usage_events_28d,
    joined.limit_events_28d,
    joined.workflow_events_28d,
    joined.export_rows_28d,

    ---------- support, feedback, invoices, health
    joined.open_tickets,
    joined.open_high_tickets,
    joined.open_escalations,
    joined.tickets_30d,
    joined.open_ticket_departments,
    joined.last_nps_score,
    joined.last_nps_on,
    cast(joined.invoice_days_late as bigint) as invoice_days_late,
    joined.health_score,
    joined.health_band,

    ---------- value, people, growth
    joined.last_value_proof_on,
    joined.goal_motions,
    joined.champions,
    joined.consented_contacts,
    joined.refused_contacts,
    joined.executive_meetings_90d,
    joined.value_milestones_90d,
    joined.growth_events_90d,
    joined.headcount_growth_yoy_pct,
    joined.intent_topics_30d

from joined

inner join seat_epochs
    on joined.account_id = seat_epochs.account_id
    and joined.as_of_date = seat_epochs.as_of_date
    and not seat_epochs.is_frozen

left join earlier_activity
    on joined.account_id = earlier_activity.account_id
    and joined.as_of_date = earlier_activity.as_of_date
