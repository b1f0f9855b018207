with

account_versions as (

    select * from {{ ref('int_account_versions') }}

),

boundaries as (

    select domain, from_on from account_versions where domain is not null

    union

    select domain, until_on as from_on from account_versions where domain is not null and until_on < {{ open_end() }}

),

stretches as (

    select
        domain,
        from_on,
        coalesce(lead(from_on) over (partition by domain order by from_on), {{ open_end() }}) as until_on

    from boundaries

),

claims as (

    -- Who had the domain by then, since when, and until when.
    select
        stretches.domain,
        stretches.from_on,
        stretches.until_on,
        account_versions.account_id,
        min(account_versions.from_on) as claimed_on,
        min(account_versions.known_from) as claimed_at,
        max(account_versions.until_on) as held_until

    from stretches

    inner join account_versions
        on stretches.domain = account_versions.domain
        and stretches.from_on >= account_versions.from_on

    group by stretches.domain, stretches.from_on, stretches.until_on, account_versions.account_id

),

candidates as (

    -- Whoever has the domain in its record now, customers before the others, then whoever had it first. While nobody has
    -- it, whoever had it last: a renamed company still writes from the old one.
    select
        claims.domain,
        claims.from_on,
        claims.until_on,
        claims.account_id,
        claims.claimed_on,
        claims.claimed_at,
        row_number() over (
            partition by claims.domain, claims.from_on
            order by
                case when claims.held_until > claims.from_on then 0 else 1 end,
                case coalesce(account_versions.account_status, 'customer')
                    when 'customer' then 0
                    when 'prospect' then 1
                    else 2
                end,
                case when claims.held_until <= claims.from_on then claims.held_until end desc nulls last,
                claims.claimed_at,
                claims.account_id
        ) as candidate_rank

    from claims

    inner join account_versions
        on claims.account_id = account_versions.account_id
        and claims.from_on >= account_versions.from_on
        and claims.from_on < account_versions.until_on

),

compared as (

    -- An account that was deleted and comes back holds the domain anew: in between it led nowhere.
    select
        *,
        case
            when account_id = lag(account_id) over (partition by domain order by from_on)
                and from_on = lag(until_on) over (partition by domain order by from_on)
                then 0
            else 1
        end as is_change

    from candidates

    where candidate_rank = 1

),

numbered as (

    select
        *,
        sum(is_change) over (
            partition by domain order by from_on rows between unbounded preceding and current row
        ) as holder_no

    from compared

),

holders as (

    select
        domain,
        account_id,
        min(from_on) as from_on,
        max(until_on) as until_on,
        -- An account that takes a domain over is led to from that day, not from the day it first had it.
        min(case when from_on = claimed_on then claimed_at else cast(from_on as timestamp) end) as from_at

    from numbered

    group by domain, account_id, holder_no

)

select * from holders
