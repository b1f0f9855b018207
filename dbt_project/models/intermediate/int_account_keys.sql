with

domain_holders as (

    select * from {{ ref('int_domain_holders') }}

),

subscription_lines as (

    select * from {{ ref('stg_billing__subscription_lines') }}

    where version_no = 1
        and account_id is not null

),

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

    where version_no = 1
        and account_id is not null
        and person_key is not null

),

overrides as (

    select
        *,
        case
            when from_on = {{ workspace_date('known_from') }} then known_from
            else cast(from_on as timestamp)
        end as from_at

    from {{ ref('stg_identity__overrides') }}

),

overridden_people as (

    -- An address that an override names has a key of its own, which leads where its domain does on all other days.
    select distinct
        person_key,
        email_domain

    from {{ ref('stg_identity__addresses') }}

    where email_key = person_key

),

domain_keys as (

    select domain as match_key, domain from domain_holders

    union

    select match_key, match_key as domain from overrides where key_kind = 'domain'

    union

    select person_key as match_key, email_domain as domain from overridden_people where email_domain is not null

),

links as (

    select
        'subscription' as key_kind,
        line_id as match_key,
        account_id,
        known_on as from_on,
        known_from as from_at

    from subscription_lines

    union all

    select
        'person' as key_kind,
        person_key as match_key,
        account_id,
        known_on as from_on,
        known_from as from_at

    from contacts

),

first_links as (

    -- A line or a contact of two accounts: the first known keeps it, so that a later account never moves past records.
    select
        *,
        row_number() over (partition by key_kind, match_key order by from_at, account_id) as account_rank

    from links

),

layers as (

    -- The lowest layer that covers a day decides: a word on the very key, a word on its domain, the ordinary rule.
    select 'domain' as key_kind, match_key, account_id, from_on, until_on, from_at, 'override' as matched_by, 0 as layer
    from overrides
    where key_kind = 'email'

    union all

    select 'person' as key_kind, match_key, account_id, from_on, until_on, from_at, 'override' as matched_by, 0 as layer
    from overrides
    where key_kind = 'email'

    union all

    select key_kind, match_key, account_id, from_on, until_on, from_at, 'override' as matched_by, 0 as layer
    from overrides
    where key_kind = 'subscription'

    union all

    select
        'domain' as key_kind,
        domain_keys.match_key,
        overrides.account_id,
        overrides.from_on,
        overrides.until_on,
        overrides.from_at,
        'override' as matched_by,
        1 as layer

    from domain_keys

    inner join overrides
        on domain_keys.domain = overrides.match_key
        and overrides.key_kind = 'domain'

    union all

    select
        'domain' as key_kind,
        domain_keys.match_key,
        domain_holders.account_id,
        domain_holders.from_on,
        domain_holders.until_on,
        domain_holders.from_at,
        'domain' as matched_by,
        2 as layer

    from domain_keys

    inner join domain_holders on domain_keys.domain = domain_holders.domain

    union all

    select key_kind, match_key, account_id, from_on, {{ open_end() }} as until_on, from_at, 'link' as matched_by, 2 as layer
    from first_links
    where account_rank = 1

),

boundaries as (

    select key_kind, match_key, from_on from layers

    union

    select key_kind, match_key, until_on as from_on from layers where until_on < {{ open_end() }}

),

stretches as (

    select
        key_kind,
        match_key,
        from_on,
        coalesce(lead(from_on) over (partition by key_kind, match_key order by from_on), {{ open_end() }}) as until_on

    from boundaries

),

decided as (

    select
        stretches.key_kind,
        stretches.match_key,
        layers.account_id,
        stretches.from_on,
        stretches.until_on,
        case
            when stretches.from_on = layers.from_on then layers.from_at
            else cast(stretches.from_on as timestamp)
        end as from_at,
        layers.matched_by,
        row_number() over (
            partition by stretches.key_kind, stretches.match_key, stretches.from_on order by layers.layer
        ) as layer_rank

    from stretches

    inner join layers
        on stretches.key_kind = layers.key_kind
        and stretches.match_key = layers.match_key
        and stretches.from_on >= layers.from_on
        and stretches.from_on < layers.until_on

)

select
    key_kind,
    match_key,
    account_id,
    from_on,
    until_on,
    from_at,
    matched_by

from decided

-- An override without an account forbids: the key leads nowhere on these days.
where layer_rank = 1
    and account_id is not null
