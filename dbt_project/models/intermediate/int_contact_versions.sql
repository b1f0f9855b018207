with

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

    where known_on < {{ window_end() }}

),

contact_versions as (

    select
        ---------- ids
        contact_id,
        account_id,
        coalesce(person_key, md5(account_id || coalesce(name_key, contact_id))) as person_key,
        name_key,
        source_table,
        row_key,

        ---------- texts
        title,
        function,
        deal_role,
        status,
        lag(title) over (partition by contact_id order by known_from, version_no) as previous_title,
        lag(deal_role) over (partition by contact_id order by known_from, version_no) as previous_deal_role,
        lag(status) over (partition by contact_id order by known_from, version_no) as previous_status,
        sum(case when status = 'left' then 1 else 0 end) over (
            partition by contact_id order by known_from, version_no
            rows between unbounded preceding and current row
        ) as departures,

        ---------- numerics
        version_no,

        ---------- booleans
        case
            when has_consent or lawful_basis is not null then true
            when not has_consent then false
        end as has_basis,

        ---------- dates and times
        happened_at,
        known_from,
        known_on

    from contacts

)

select
    *,
    -- Since when the contact has been there without a break; of a leaver null.
    min(case when coalesce(status, '') <> 'left' then known_on end)
        over (partition by contact_id, departures order by known_from, version_no
        rows between unbounded preceding and current row) as there_since_on

from contact_versions
