{{ config(meta={'window_column': 'withdrawn_on'}) }}

{#- Records that a firing may stand on. A later version that changes these facts is a correction. A contact may also
    change in the world: there it is one only when told of the same time or an earlier one, and a deletion says nothing,
    since people who have left are deleted too. -#}
{%- set columns = {
    'happened_at': 'happened_at',
    'replaced_on': 'replaced_on',
    'may_change': 'false',
    'facts': 'md5(body)',
} -%}
{%- set sources = [
    {
        'relation': ref('stg_crm__contacts'),
        'may_change': 'true',
        'facts': "concat_ws('|', coalesce(title, ''), coalesce(deal_role, ''), coalesce(status, ''))",
    },
    {
        'relation': ref('stg_crm__contact_role_changes'),
        'facts': "concat_ws('|', move, coalesce(to_title, ''), coalesce(to_deal_role, ''))",
    },
    {'relation': ref('stg_people__job_alerts'), 'facts': "concat_ws('|', move, coalesce(to_title, ''))"},
    {'relation': ref('stg_people__signature_changes'), 'facts': "coalesce(to_title, '')"},
    {'relation': ref('stg_people__absence_patterns'), 'facts': 'pattern'},
    {'relation': ref('int_text_versions')},
] -%}

with

unioned as (

    {{ unioned_sources(sources, columns, condition='true') }}

),

next_versions as (

    select
        *,
        lead(known_on) over (partition by source_table, row_key order by known_from, version_no) as next_known_on,
        lead(happened_at) over (partition by source_table, row_key order by known_from, version_no) as next_happened_at,
        lead(facts) over (partition by source_table, row_key order by known_from, version_no) as next_facts

    from unioned

    where known_on < {{ window_end() }}
        {% if is_incremental() -%}
        and coalesce(replaced_on >= {{ window_start() }}, true)
        {%- endif %}

),

ended_versions as (

    select
        source_table,
        row_key,
        version_no,
        case
            when coalesce(next_known_on > replaced_on, true)
                then case when not may_change then 'deleted' end
            when facts is distinct from next_facts and (not may_change or next_happened_at <= happened_at)
                then 'corrected'
        end as reason,
        case when may_change then happened_at end as happened_at,
        replaced_on as withdrawn_on

    from next_versions

    where replaced_on < {{ window_end() }}

),

withdrawals as (

    select * from ended_versions

    where reason is not null
        and {{ newly_known('withdrawn_on') }}

)

select * from withdrawals
