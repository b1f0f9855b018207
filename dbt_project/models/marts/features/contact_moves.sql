{{ config(meta={'window_column': 'known_on'}) }}

with

moves as (

    select * from {{ ref('int_contact_moves') }}

    where {{ newly_known('account_known_on') }}

),

contact_versions as (

    select * from {{ ref('int_contact_versions') }}

),

account_versions as (

    select * from {{ ref('int_account_versions') }}

),

namesakes as (

    select
        moves.move_key,
        contact_versions.person_key,
        row_number() over (
            partition by moves.move_key
            order by contact_versions.known_from desc nulls last, contact_versions.person_key
        ) as recency_rank,
        min(contact_versions.contact_id) over (partition by moves.move_key) as first_contact_id,
        max(contact_versions.contact_id) over (partition by moves.move_key) as last_contact_id

    from moves

    inner join contact_versions
        on moves.account_id = contact_versions.account_id
        and moves.name_key = contact_versions.name_key
        and moves.account_known_on >= contact_versions.known_on

),

identified as (

    -- Without an e-mail the person is the contact of that name, if the account has one and no more than one.
    select
        moves.*,
        coalesce(
            moves.given_person_key,
            namesakes.person_key,
            md5(moves.account_id || coalesce(moves.name_key, moves.row_key))
        ) as person_key

    from moves

    left join namesakes
        on moves.move_key = namesakes.move_key
        and namesakes.recency_rank = 1
        and namesakes.first_contact_id = namesakes.last_contact_id

),

known_contacts as (

    select
        identified.move_key,
        contact_versions.title,
        contact_versions.function,
        contact_versions.has_basis,
        contact_versions.deal_role,
        contact_versions.there_since_on,
        row_number() over (
            partition by identified.move_key
            order by contact_versions.known_from desc nulls last, contact_versions.contact_id
        ) as version_rank,
        row_number() over (
            partition by identified.move_key
            order by
                case when contact_versions.deal_role is null then 1 else 0 end,
                contact_versions.known_from desc nulls last,
                contact_versions.contact_id
        ) as role_rank

    from identified

    inner join contact_versions
        on identified.account_id = contact_versions.account_id
        and identified.person_key = contact_versions.person_key
        and identified.account_known_on >= contact_versions.known_on

),

contact_facts as (

    select
        move_key,
        max(case when version_rank = 1 then title end) as title,
        max(case when version_rank = 1 then function end) as function,
        max(case when version_rank = 1 then case when has_basis then 1 when not has_basis then 0 end end) as has_basis,
        max(case when version_rank = 1 then there_since_on end) as there_since_on,
        max(case when role_rank = 1 then deal_role end) as current_deal_role

    from known_contacts

    group by move_key

),

renewal_contacts as (

    select
        identified.move_key,
        contact_versions.person_key,
        row_number() over (
            partition by identified.move_key
            order by contact_versions.known_from desc nulls last, contact_versions.contact_id
        ) as recency_rank

    from identified

    inner join contact_versions
        on identified.account_id = contact_versions.account_id
        and identified.person_key <> contact_versions.person_key
        and identified.account_known_on >= contact_versions.known_on

    where contact_versions.deal_role = 'renewal_contact'

)

select
    ---------- ids
    identified.move_key,
    identified.account_id,
    identified.person_key,
    renewal_contacts.person_key as previous_renewal_contact_key,
    identified.source_table,
    identified.row_key,

    ---------- texts
    case
        when identified.source_table like 'crm%' then 'crm'
        else identified.source_table
    end as source,
    identified.move,
    -- Who left is told without a title by an out-of-office pattern; the CRM has it.
    case
        when identified.move = 'left' then coalesce(identified.from_title, contact_facts.title)
        else identified.from_title
    end as from_title,
    identified.to_title,
    identified.from_deal_role,
    identified.to_deal_role,
    contact_facts.current_deal_role,
    lower(coalesce(identified.function, contact_facts.function)) as function,
    lower(account_versions.using_function) as using_function,
    account_versions.segment,

    ---------- numerics
    cast({{ dbt.datediff('contact_facts.there_since_on', workspace_date('identified.happened_at'), 'day') }} as bigint)
        as contact_days,

    ---------- booleans
    contact_facts.has_basis = 1 as has_basis,
    contact_facts.move_key is not null as is_known_contact,

    ---------- dates and times
    identified.happened_at,
    identified.known_at,
    identified.account_known_on as known_on

from identified

left join contact_facts on identified.move_key = contact_facts.move_key

left join renewal_contacts
    on identified.move_key = renewal_contacts.move_key
    and renewal_contacts.recency_rank = 1

left join account_versions
    on identified.account_id = account_versions.account_id
    and identified.account_known_on >= account_versions.from_on
    and identified.account_known_on < account_versions.until_on
