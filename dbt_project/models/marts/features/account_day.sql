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

kinds_known as (

    -- One row: the day on which the book first had a record of each kind.
    select
        {% for event in counted_events() -%}
        {{ kinds_known(event.table, event.kinds) }} as {{ event.column }},
        {% endfor -%}
        {{ kinds_known('feedback_nps', ['answer']) }} as nps_answers,
        {{ kinds_known('growth_intent', ['topic']) }} as intent_topics,
        {{ kinds_known('billing_subscription_lines', ['module']) }} as module_lines

    from {{ ref('int_source_keys') }}

    where key_kind = 'kind'

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
            when account_sources.watchable_product
                and account_sources.watchable_billing
                and kinds_known.module_lines <= account_days.as_of_date
                then
                    100.0 * cast(account_measures.uncontracted_uses as double)
                    / nullif(cast(account_measures.module_uses as double), 0)
        end as uncontracted_use_28d_pct,
        {% for event in counted_events() -%}
        case
            when account_sources.watchable_{{ event.source }}
                and kinds_known.{{ event.column }} <= account_days.as_of_date
                then cast(account_measures.{{ event.column }} as {{ event.type or 'bigint' }})
        end as {{ event.column }},
        {% endfor -%}
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
        case
            when account_sources.watchable_feedback and kinds_known.nps_answers <= account_days.as_of_date
                then coalesce(
                    latest_facts.last_nps_score >= {{ var('positive_nps_score') }}
                    and latest_facts.last_nps_on > {{ add_days('account_days.as_of_date', -var('engagement_days')) }},
                    false
                )
        end as is_promoter,
        case
            when account_sources.watchable_meetings
                and latest_facts.last_qbr_on > {{ add_days('account_days.as_of_date', -var('qbr_days')) }}
                then latest_facts.last_qbr_sentiment
        end as last_qbr_sentiment,
        case when account_sources.watchable_meetings then latest_facts.last_qbr_on end as last_qbr_on,
        latest_facts.headcount_growth_yoy_pct,
        latest_facts.function_headcount_growth_yoy_pct,
        {{ add_months(
            dbt.date_trunc('month', 'account_days.as_of_date'),
            '-mod(extract(month from account_days.as_of_date) + 11 - coalesce(account_days.fiscal_year_end_month, '
            ~ var('fiscal_year_end_month') ~ '), 12)'
        ) }} as fiscal_year_started_on,
        lists.goal_motions,
        {% for measure in ['champions', 'consented_contacts', 'refused_contacts', 'new_stakeholders_90d'] -%}
        case
            when account_sources.watchable_contacts
                then cast(account_measures.{{ measure }} as bigint)
        end as {{ measure }},
        {% endfor -%}
        case
            when account_sources.watchable_growth
                and account_days.function_key is not null
                and kinds_known.job_posts_90d <= account_days.as_of_date
                then cast(account_measures.function_job_posts_90d as bigint)
        end as function_job_posts_90d,
        case
            when account_sources.watchable_growth and kinds_known.intent_topics <= account_days.as_of_date
                then cast(account_measures.intent_topics as bigint)
        end as intent_topics_30d

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

    cross join kinds_known

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

{% for name, column, days in [
    ('earlier_activity', 'active_users_28d', var('growth_days')),
    ('earlier_exports', 'export_rows_28d', var('activity_days')),
] -%}
{{ name }} as (

    select account_id, {{ add_days('as_of_date', days) }} as as_of_date, {{ column }} from joined

    {% if is_incremental() -%}
    union all

    select account_id, {{ add_days('as_of_date', days) }} as as_of_date, {{ column }} from frozen_rows
    {%- endif %}

),

{% endfor -%}
compared as (

    select
        joined.*,
        earlier_activity.active_users_28d as active_users_28d_60d_ago,
        100.0 * (joined.active_users_28d - earlier_activity.active_users_28d)
            / nullif(earlier_activity.active_users_28d, 0) as seat_growth_60d_pct,
        100.0 * (joined.export_rows_28d - earlier_exports.export_rows_28d)
            / nullif(earlier_exports.export_rows_28d, 0) as export_growth_28d_pct

    from joined

    left join earlier_activity
        on joined.account_id = earlier_activity.account_id
        and joined.as_of_date = earlier_activity.as_of_date

    left join earlier_exports
        on joined.account_id = earlier_exports.account_id
        and joined.as_of_date = earlier_exports.as_of_date

),

{% set signs = [
    'is_promoter',
    'seat_growth_60d_pct >= ' ~ var('positive_growth_pct'),
    'executive_meetings_90d > 0',
    'advocacy_events_180d > 0',
] -%}
positive_signs as (

    select
        *,
        -- Too few of the signs watched: their number says nothing.
        case
            when {% for sign in signs %}{{ ' + ' if not loop.first }}case when ({{ sign }}) is null then 0 else 1 end{% endfor %} >= {{ var('positive_signs_watched') }}
                then {% for sign in signs %}{{ ' + ' if not loop.first }}case when {{ sign }} then 1 else 0 end{% endfor %}
        end as positive_signs

    from compared

)

select
    ---------- ids
    positive_signs.account_id,
    positive_signs.as_of_date,
    positive_signs.owner_id,
    positive_signs.ae_id,

    ---------- account
    positive_signs.account_name,
    positive_signs.segment,
    positive_signs.country,
    positive_signs.arr,
    positive_signs.currency,
    positive_signs.use_case,
    positive_signs.using_function,
    positive_signs.account_status,
    positive_signs.first_paid_on,
    cast({{ dbt.datediff('positive_signs.first_paid_on', 'positive_signs.as_of_date', 'day') }} as bigint) as account_age_days,
    positive_signs.renewal_on,
    positive_signs.notice_days,
    positive_signs.opt_out_on,
    cast(
        case
            when positive_signs.opt_out_on >= positive_signs.as_of_date
                then {{ var('renewal_horizon_days') }} - {{ dbt.datediff('positive_signs.as_of_date', 'positive_signs.opt_out_on', 'day') }}
        end as bigint
    ) as renewal_closeness_days,
    cast(
        {{ dbt.datediff('positive_signs.fiscal_year_started_on', 'positive_signs.as_of_date', 'day') }} as bigint
    ) as fiscal_year_elapsed_days,

    ---------- what can be watched
    positive_signs.watchable_product,
    positive_signs.watchable_identity,
    true as watchable_crm,
    positive_signs.watchable_contacts,
    positive_signs.watchable_billing,
    positive_signs.watchable_people,
    positive_signs.watchable_support,
    positive_signs.watchable_ticket_texts,
    positive_signs.watchable_feedback,
    positive_signs.watchable_meetings,
    positive_signs.watchable_notes,
    positive_signs.watchable_growth,
    positive_signs.watchable_engagement,
    (positive_signs.watchable_support and positive_signs.watchable_ticket_texts)
        or positive_signs.watchable_feedback
        or positive_signs.watchable_meetings
        or positive_signs.watchable_notes as watchable_text,

    ---------- seats
    positive_signs.contracted_seats,
    seat_epochs.last_watched_seats,
    seat_epochs.seats_changed_on,
    seat_epochs.seats_before_change,
    seat_epochs.active_users_at_seat_change,
    case
        when positive_signs.contracted_seats is null then null
        when seat_epochs.seats_changed_on > {{ add_days('positive_signs.as_of_date', -var('seat_cut_days')) }}
            and seat_epochs.seats_before_change > positive_signs.contracted_seats
            then
                100.0 * (seat_epochs.seats_before_change - positive_signs.contracted_seats)
                / seat_epochs.seats_before_change
        else 0.0
    end as seat_cut_90d_pct,
    positive_signs.active_users_28d,
    positive_signs.active_users_28d_60d_ago,
    positive_signs.seat_growth_60d_pct,
    positive_signs.assigned_seats,
    positive_signs.active_assigned_users_28d,
    100.0 * positive_signs.active_users_28d / nullif(positive_signs.contracted_seats, 0) as seat_utilization_pct,
    100.0 * positive_signs.active_assigned_users_28d / nullif(positive_signs.assigned_seats, 0) as assigned_utilization_pct,
    positive_signs.seat_unit_price,
    positive_signs.seat_currency,
    positive_signs.excluded_users_28d,
    positive_signs.withdrawn_users_28d,

    ---------- departments
    positive_signs.licensed_departments,
    cast(positive_signs.saturated_departments as bigint) as saturated_departments,
    cast(positive_signs.saturated_core_users_min as bigint) as saturated_core_users_min,
    positive_signs.restricts_departments,

    ---------- use
    positive_signs.advanced_features_28d,
    cast(positive_signs.power_users_28d as bigint) as power_users_28d,
    positive_signs.usage_minutes_28d,
    positive_signs.usage_events_28d,
    positive_signs.limit_events_28d,
    positive_signs.access_denied_28d,
    positive_signs.workflow_events_28d,
    positive_signs.export_rows_28d,
    positive_signs.export_growth_28d_pct,
    positive_signs.uncontracted_use_28d_pct,

    ---------- support, feedback, invoices, health
    positive_signs.open_tickets,
    positive_signs.open_high_tickets,
    positive_signs.open_escalations,
    positive_signs.tickets_30d,
    positive_signs.open_ticket_departments,
    positive_signs.last_nps_score,
    positive_signs.last_nps_on,
    cast(positive_signs.invoice_days_late as bigint) as invoice_days_late,
    positive_signs.health_score,
    positive_signs.health_band,

    ---------- value, people, growth
    positive_signs.last_value_proof_on,
    positive_signs.goal_motions,
    positive_signs.champions,
    positive_signs.consented_contacts,
    positive_signs.refused_contacts,
    positive_signs.new_stakeholders_90d,
    positive_signs.executive_meetings_90d,
    positive_signs.webinars_90d,
    positive_signs.roadmap_requests_90d,
    positive_signs.referrals_90d,
    positive_signs.advocacy_events_180d,
    positive_signs.value_milestones_90d,
    positive_signs.last_qbr_sentiment,
    positive_signs.last_qbr_on,
    cast(positive_signs.positive_signs as bigint) as positive_signs,
    positive_signs.growth_events_90d,
    positive_signs.funding_rounds_90d,
    positive_signs.new_locations_90d,
    positive_signs.job_posts_90d,
    positive_signs.function_job_posts_90d,
    positive_signs.headcount_growth_yoy_pct,
    positive_signs.function_headcount_growth_yoy_pct,
    positive_signs.intent_topics_30d

from positive_signs

inner join seat_epochs
    on positive_signs.account_id = seat_epochs.account_id
    and positive_signs.as_of_date = seat_epochs.as_of_date
    and not seat_epochs.is_frozen
