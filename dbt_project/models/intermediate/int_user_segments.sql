with

users as (

    select * from {{ ref('stg_product__users') }}

),

directory_entries as (

    select * from {{ ref('stg_identity__directory_entries') }}

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

domain_keys as (

    select * from account_keys

    where key_kind = 'domain'

),

account_domains as (

    select
        account_id,
        min(from_on) as from_on

    from domain_keys

    -- The key of a person, which an override names, has no dot and says nothing of the account's domains.
    where match_key like '%.%'

    group by account_id

),

user_people as (

    select distinct
        user_id,
        person_key,
        email_key

    from users

),

people_records as (

    -- What all users of one person say: they share one role, so that the person is in one group.
    select
        user_people.user_id,
        users.person_key,
        users.role,
        users.user_id as record_user_id,
        users.known_from,
        users.known_on,
        users.replaced_on

    from user_people

    inner join users on user_people.person_key = users.person_key

),

boundaries as (

    select user_id, {{ beginning() }} as from_on from users

    union

    select user_id, known_on as from_on from users

    union

    select user_id, replaced_on as from_on from users where replaced_on is not null

    union

    select user_people.user_id, directory_entries.known_on as from_on
    from user_people
    inner join directory_entries on user_people.person_key = directory_entries.person_key

    union

    select user_people.user_id, directory_entries.replaced_on as from_on
    from user_people
    inner join directory_entries on user_people.person_key = directory_entries.person_key
    where directory_entries.replaced_on is not null

    union

    select user_people.user_id, domain_keys.from_on
    from user_people
    inner join domain_keys on user_people.email_key = domain_keys.match_key

    union

    select user_people.user_id, domain_keys.until_on as from_on
    from user_people
    inner join domain_keys on user_people.email_key = domain_keys.match_key
    where domain_keys.until_on < {{ open_end() }}

    union

    select user_id, known_on as from_on from people_records

    union

    select user_id, replaced_on as from_on from people_records where replaced_on is not null

),

stretches as (

    select
        user_id,
        from_on,
        coalesce(lead(from_on) over (partition by user_id order by from_on), {{ open_end() }}) as until_on

    from boundaries

),

described as (

    select
        stretches.user_id,
        stretches.from_on,
        stretches.until_on,
        users.person_key,
        users.email_domain,
        coalesce(people_records.role, users.role) as product_role,
        users.user_kind,
        users.user_kind_rule,
        directory_entries.department,
        directory_entries.role as directory_role,
        coalesce(users.account_id, directory_entries.account_id, domain_keys.account_id) as account_id,
        domain_keys.account_id as domain_account_id,
        row_number() over (
            partition by stretches.user_id, stretches.from_on
            order by
                users.known_from desc nulls last,
                directory_entries.known_from desc nulls last,
                directory_entries.subject_id asc nulls last,
                case when people_records.role is null then 1 else 0 end,
                people_records.known_from desc nulls last,
                people_records.record_user_id asc nulls last
        ) as match_rank

    from stretches

    left join users
        on stretches.user_id = users.user_id
        and stretches.from_on >= users.known_on
        and stretches.from_on < coalesce(users.replaced_on, {{ open_end() }})

    left join directory_entries
        on users.person_key = directory_entries.person_key
        and stretches.from_on >= directory_entries.known_on
        and stretches.from_on < coalesce(directory_entries.replaced_on, {{ open_end() }})

    left join domain_keys
        on users.email_key = domain_keys.match_key
        and stretches.from_on >= domain_keys.from_on
        and stretches.from_on < domain_keys.until_on

    left join people_records
        on stretches.user_id = people_records.user_id
        and users.person_key = people_records.person_key
        and stretches.from_on >= people_records.known_on
        and stretches.from_on < coalesce(people_records.replaced_on, {{ open_end() }})

),

grouped as (

    select
        described.user_id,
        described.account_id,
        described.person_key,
        coalesce(described.person_key, described.user_id) as user_key,
        described.from_on,
        described.until_on,
        -- A user of whom only usage is known yet counts: named use may arrive before the user record.
        coalesce(described.user_kind, 'employee') as user_kind,
        described.user_kind_rule,
        case
            when described.department is not null then 'department'
            when described.email_domain is not null
                and account_domains.account_id is not null
                and described.account_id is distinct from described.domain_account_id
                then 'domain'
            when coalesce(described.directory_role, described.product_role) is not null then 'role'
        end as group_kind,
        described.department,
        described.email_domain,
        {{ clean_label('coalesce(described.directory_role, described.product_role)') }} as role

    from described

    left join account_domains
        on described.account_id = account_domains.account_id
        and described.from_on >= account_domains.from_on

    where described.match_rank = 1

),

segments as (

    select
        user_id,
        account_id,
        person_key,
        user_key,
        user_kind = 'employee' as is_employee,
        user_kind,
        user_kind_rule,
        group_kind,
        case group_kind
            when 'department' then department
            when 'domain' then email_domain
            when 'role' then role
        end as group_key,
        from_on,
        until_on

    from grouped

)

select * from segments
