with

contact_versions as (

    select * from {{ ref('int_contact_versions') }}

),

contact_role_changes as (

    select * from {{ ref('stg_crm__contact_role_changes') }}

    where version_no = 1

),

job_alerts as (

    select * from {{ ref('stg_people__job_alerts') }}

    where version_no = 1

),

signature_changes as (

    select * from {{ ref('stg_people__signature_changes') }}

    where version_no = 1

),

absence_patterns as (

    select * from {{ ref('stg_people__absence_patterns') }}

    where version_no = 1

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

recorded_contacts as (

    select
        contact_id,
        person_key,
        row_number() over (partition by contact_id order by known_from, version_no) as version_rank

    from contact_versions

),

crm_moves as (

    select
        contact_role_changes.source_table,
        contact_role_changes.row_key,
        contact_role_changes.version_no,
        contact_role_changes.known_from,
        contact_role_changes.known_on,
        contact_role_changes.happened_at,
        contact_role_changes.account_id as given_account_id,
        coalesce(contact_role_changes.person_key, recorded_contacts.person_key) as given_person_key,
        cast(null as string) as name_key,
        contact_role_changes.email_key,
        contact_role_changes.move,
        contact_role_changes.from_title,
        contact_role_changes.to_title,
        contact_role_changes.from_deal_role,
        contact_role_changes.to_deal_role,
        contact_role_changes.function

    from contact_role_changes

    left join recorded_contacts
        on contact_role_changes.contact_id = recorded_contacts.contact_id
        and recorded_contacts.version_rank = 1

),

version_moves as (

    -- A title that was never known is no change; a role may start from nothing.
    {% for move, condition in [
        ('left', "status = 'left' and previous_status <> 'left'"),
        ('joined', "status <> 'left' and previous_status = 'left'"),
        ('title_changed', 'title <> previous_title'),
        ('deal_role_changed', 'deal_role is not null and deal_role is distinct from previous_deal_role'),
    ] -%}
    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        person_key as given_person_key,
        name_key,
        cast(null as string) as email_key,
        '{{ move }}' as move,
        previous_title as from_title,
        title as to_title,
        previous_deal_role as from_deal_role,
        deal_role as to_deal_role,
        function

    from contact_versions

    where version_no > 1
        and {{ condition }}

    {{ 'union all' if not loop.last }}

    {% endfor %}

),

alert_moves as (

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        cast(null as string) as given_account_id,
        person_key as given_person_key,
        name_key,
        account_domain as email_key,
        move,
        from_title,
        to_title,
        cast(null as string) as from_deal_role,
        cast(null as string) as to_deal_role,
        function

    from job_alerts

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        cast(null as string) as given_account_id,
        person_key as given_person_key,
        cast(null as string) as name_key,
        email_key,
        'title_changed' as move,
        from_title,
        to_title,
        cast(null as string) as from_deal_role,
        cast(null as string) as to_deal_role,
        cast(null as string) as function

    from signature_changes

    where from_title is not null

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        cast(null as string) as given_account_id,
        person_key as given_person_key,
        cast(null as string) as name_key,
        email_key,
        'left' as move,
        cast(null as string) as from_title,
        cast(null as string) as to_title,
        cast(null as string) as from_deal_role,
        cast(null as string) as to_deal_role,
        cast(null as string) as function

    from absence_patterns

    where pattern = 'left_company'

),

unioned as (

    select * from crm_moves

    union all

    select * from version_moves

    union all

    select * from alert_moves

),

window_moves as (

    select
        *,
        -- One version of a contact may tell several moves.
        md5(source_table || '|' || row_key || '|' || cast(version_no as string) || '|' || move) as move_key

    from unioned

    where known_on < {{ window_end() }}

),

matched as (

    {{ matched_to_account(
        'window_moves', 'account_keys', {'person': 'given_person_key', 'domain': 'email_key'}, 'move_key'
    ) }}

)

select
    ---------- ids
    move_key,
    account_id,
    given_person_key,
    name_key,
    source_table,
    row_key,

    ---------- texts
    move,
    from_title,
    to_title,
    from_deal_role,
    to_deal_role,
    function,

    ---------- dates and times
    happened_at,
    known_at,
    account_known_on

from matched

where match_rank = 1
