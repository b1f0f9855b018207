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

    where department = 'all'

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
        ) as until_on

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
        coalesce(replaced_on, {{ open_end() }}) as until_on

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
        coalesce(replaced_on, {{ open_end() }}) as until_on

    from engagement_events

    where kind in ('value_milestone', 'outcome_evidence')

    union all

    select
        'headcount' as fact,
        account_keys.account_id,
        headcounts.row_key,
        cast(headcounts.headcount as double) as score,
        cast(null as string) as label,
        headcounts.happened_at,
        headcounts.observed_on as happened_on,
        greatest(headcounts.known_on, account_keys.from_on) as from_on,
        least(coalesce(headcounts.replaced_on, {{ open_end() }}), account_keys.until_on) as until_on

    from headcounts

    inner join account_keys on headcounts.account_domain = account_keys.match_key

),

known_facts as (

    select
        account_days.account_id,
        account_days.as_of_date,
        facts.fact,
        facts.row_key,
        facts.score,
        facts.label,
        facts.happened_on,
        row_number() over (
            partition by account_days.account_id, account_days.as_of_date, facts.fact
            order by facts.happened_at desc nulls last, facts.row_key desc nulls last
        ) as recency_rank

    from account_days

    inner join facts
        on account_days.account_id = facts.account_id
        and account_days.as_of_date >= facts.from_on
        and account_days.as_of_date < facts.until_on
        and account_days.as_of_date >= facts.happened_on

    where facts.happened_on > {{ add_days('account_days.as_of_date', -var('latest_look_back_days')) }}

),

latest as (

    select * from known_facts

    where recency_rank = 1

),

earlier_headcounts as (

    -- The observation nearest to a year before the latest one.
    select
        known_facts.account_id,
        known_facts.as_of_date,
        known_facts.score,
        row_number() over (
            partition by known_facts.account_id, known_facts.as_of_date
            order by
                abs({{ dbt.datediff('known_facts.happened_on', 'latest.happened_on', 'day') }} - 365) asc nulls last,
                known_facts.happened_on asc nulls last,
                known_facts.row_key asc nulls last
        ) as nearness_rank

    from known_facts

    inner join latest
        on known_facts.account_id = latest.account_id
        and known_facts.as_of_date = latest.as_of_date
        and known_facts.fact = latest.fact

    where known_facts.fact = 'headcount'
        and abs({{ dbt.datediff('known_facts.happened_on', 'latest.happened_on', 'day') }} - 365)
            <= {{ var('headcount_tolerance_days') }}

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
        max(case when fact = 'headcount' then score end) as headcount

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
        100 * (latest_facts.headcount - earlier_headcounts.score)
            / nullif(earlier_headcounts.score, 0) as headcount_growth_yoy_pct

    from latest_facts

    left join earlier_headcounts
        on latest_facts.account_id = earlier_headcounts.account_id
        and latest_facts.as_of_date = earlier_headcounts.as_of_date
        and earlier_headcounts.nearness_rank = 1

)

select * from joined
