with

account_versions as (

    select * from {{ ref('int_account_versions') }}

),

subscription_lines as (

    select * from {{ ref('stg_billing__subscription_lines') }}

),

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

),

keys as (

    -- A domain once an account's stays with it: a renamed company still writes from the old one.
    select
        'domain' as key_kind,
        domain as match_key,
        account_id,
        min(from_on) as from_on,
        {{ open_end() }} as until_on,
        min(known_from) as from_at

    from account_versions

    where domain is not null
        and domain not in ({{ quoted_list(var('free_mail_domains')) }})

    group by domain, account_id

    union all

    select
        'subscription' as key_kind,
        line_id as match_key,
        account_id,
        known_on as from_on,
        {{ open_end() }} as until_on,
        known_from as from_at

    from subscription_lines

    where version_no = 1

    union all

    select
        'person' as key_kind,
        person_key as match_key,
        account_id,
        known_on as from_on,
        {{ open_end() }} as until_on,
        known_from as from_at

    from contacts

    where version_no = 1
        and person_key is not null

),

ranked as (

    -- Two accounts with one key: the first known keeps it, so that a later account never moves past records.
    select
        *,
        row_number() over (partition by key_kind, match_key order by from_at, account_id) as account_rank

    from keys

)

select
    key_kind,
    match_key,
    account_id,
    from_on,
    until_on,
    from_at

from ranked

where account_rank = 1
