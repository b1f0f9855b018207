with

account_days as (

    select * from {{ ref('int_account_days') }}

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

    where key_kind = 'domain'

),

nps_responses as (

    select * from {{ ref('stg_feedback__nps_responses') }}

),

health_scores as (

    select * from {{ ref('stg_engagement__health_scores') }}

),

engagement_events as (

    select * from {{ ref('stg_engagement__events') }}

),

headcounts as (

    select * from {{ ref('stg_growth__headcounts') }}

),

qbr_notes as (

    select * from {{ ref('stg_meetings__notes') }}

    where kind = 'qbr'
        and sentiment is not null

),

facts as (

    select
        'nps' as fact,
        coalesce(nps_responses.account_id, account_keys.account_id) as account_id,
        nps_responses.row_key,
        cast(nps_responses.score as double) as score,
        cast(null as string) as label,
        nps_responses.happened_at,
        nps_responses.happened_on,
        greatest(nps_responses.known_on, coalesce(account_keys.from_on, nps_responses.known_on)) as from_on,
        least(
            coalesce(nps_responses.replaced_on, {{ open_end() }}), coalesce(account_keys.until_on, {{ open_end() }})
        ) as until_on,
        cast(null as string) as function_key

    from nps_responses

    left join account_keys
        on nps_responses.email_key = account_keys.match_key
        and nps_responses.account_id is null

    union all

    select
        'health' as fact,
        account_id,
        row_key,
        score,
        band as label,
        happened_at,
        scored_on as happened_on,
        known_on as from_on,
        coalesce(replaced_on, {{ open_end() }}) as until_on,
        cast(null as string) as function_key

    from health_scores

    union all

    select
        'value_proof' as fact,
        account_id,
        row_key,
        cast(null as double) as score,
        kind as label,
        happened_at,
        happened_on,
        known_on as from_on,
        coalesce(replaced_on, {{ open_end() }}) as until_on,
        cast(null as string) as function_key

    from engagement_events

    where kind in ('value_milestone', 'outcome_evidence')

    union all

    select
        'qbr' as fact,
        account_id,
        row_key,
        sentiment as score,
        cast(null as string) as label,
        happened_at,
        happened_on,
        known_on as from_on,
        coalesce(replaced_on, {{ open_end() }}) as until_on,
        cast(null as string) as function_key

    from qbr_notes

    union all

    select
        case when headcounts.department = 'all' then 'headcount' else 'function_headcount' end as fact,
        account_keys.account_id,
        headcounts.row_key,
        cast(headcounts.headcount as double) as score,
        headcounts.department as label,
        headcounts.happened_at,
        headcounts.observed_on as happened_on,
        greatest(headcounts.known_on, account_keys.from_on) as from_on,
        least(coalesce(headcounts.replaced_on, {{ open_end() }}), account_keys.until_on) as until_on,
        case when headcounts.department <> 'all' then headcounts.function_key end as function_key

    from headcounts

    inner join account_keys on headcounts.account_domain = account_keys.match_key

),

known_facts as (

    select
        account_days.account_id,
        account_days.as_of_date,
        facts.fact,
        -- Headcounts are a series for each department; of all other facts there is one.
        case when facts.fact like '%headcount' then facts.label else facts.fact end as series,
        facts.row_key,
        facts.score,
        facts.label,
        facts.happened_at,
        facts.happened_on

    from account_days

    inner join facts
        on account_days.account_id = facts.account_id
        and account_days.as_of_date >= facts.from_on
        and account_days.as_of_date < facts.until_on
        and account_days.as_of_date >= facts.happened_on
        and (facts.function_key is null or facts.function_key = account_days.function_key)

    where facts.happened_on > {{ add_days('account_days.as_of_date', -var('latest_look_back_days')) }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by account_id, as_of_date, fact, series
            order by happened_at desc nulls last, row_key desc nulls last
        ) as recency_rank

    from known_facts

),

latest as (

    select * from ranked

    where recency_rank = 1

),

earlier_headcounts as (

    -- The observation nearest to a year before the latest one of the same department.
    select
        ranked.account_id,
        ranked.as_of_date,
        ranked.fact,
        latest.score as headcount,
        ranked.score as earlier_headcount,
        row_number() over (
            partition by ranked.account_id, ranked.as_of_date, ranked.fact, ranked.series
            order by
                abs({{ dbt.datediff('ranked.happened_on', 'latest.happened_on', 'day') }} - 365) asc nulls last,
                ranked.happened_on asc nulls last,
                ranked.row_key asc nulls last
        ) as nearness_rank

    from ranked

    inner join latest
        on ranked.account_id = latest.account_id
        and ranked.as_of_date = latest.as_of_date
        and ranked.fact = latest.fact
        and ranked.series = latest.series

    where ranked.fact in ('headcount', 'function_headcount')
        and abs({{ dbt.datediff('ranked.happened_on', 'latest.happened_on', 'day') }} - 365)
            <= {{ var('headcount_tolerance_days') }}

),

headcount_growth as (

    -- A function may be several departments of the observer: they are added up.
    select
        account_id,
        as_of_date,
        {% for fact in ['headcount', 'function_headcount'] -%}
        100 * (sum(case when fact = '{{ fact }}' then headcount - earlier_headcount end))
            / nullif(sum(case when fact = '{{ fact }}' then earlier_headcount end), 0)
            as {{ fact }}_growth_yoy_pct{{ ',' if not loop.last }}
        {% endfor %}
    from earlier_headcounts

    where nearness_rank = 1

    group by account_id, as_of_date

),

latest_facts as (

    select
        account_id,
        as_of_date,
        max(case when fact = 'nps' then score end) as last_nps_score,
        max(case when fact = 'nps' then happened_on end) as last_nps_on,
        max(case when fact = 'health' then score end) as health_score,
        max(case when fact = 'health' then label end) as health_band,
        max(case when fact = 'value_proof' then happened_on end) as last_value_proof_on,
        max(case when fact = 'qbr' then score end) as last_qbr_sentiment,
        max(case when fact = 'qbr' then happened_on end) as last_qbr_on

    from latest

    group by account_id, as_of_date

),

joined as (

    select
        latest_facts.account_id,
        latest_facts.as_of_date,
        latest_facts.last_nps_score,
        latest_facts.last_nps_on,
        latest_facts.health_score,
        latest_facts.health_band,
        latest_facts.last_value_proof_on,
        latest_facts.last_qbr_sentiment,
        latest_facts.last_qbr_on,
        headcount_growth.headcount_growth_yoy_pct,
        headcount_growth.function_headcount_growth_yoy_pct

    from latest_facts

    left join headcount_growth
        on latest_facts.account_id = headcount_growth.account_id
        and latest_facts.as_of_date = headcount_growth.as_of_date

)

select * from joined
