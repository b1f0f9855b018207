{%- set sources = [
    'product', 'metering', 'identity', 'contacts', 'billing', 'people', 'support', 'ticket_texts', 'feedback', 'meetings', 'notes',
    'growth', 'engagement',
] -%}
{%- set fresh_sources = {
    'product': ('stg_product__usage', 'product_usage'),
    'metering': ('stg_product__metered_usage', 'product_metered_usage'),
    'identity': ('stg_identity__directory_entries', 'identity_directory'),
    'support': ('stg_support__tickets', 'support_tickets'),
} -%}

with

account_days as (

    select * from {{ ref('int_account_days') }}

),

window_days as (

    select * from {{ ref('int_window_days') }}

),

source_keys as (

    select * from {{ ref('int_source_keys') }}

    where first_known_on < {{ window_end() }}

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

user_segments as (

    select * from {{ ref('int_user_segments') }}

),

arrivals as (

    {% for source_name, (model, table) in fresh_sources.items() -%}
    select
        '{{ source_name }}' as source_name,
        known_on as from_on,
        {{ add_days('known_on', freshness_days(table)) }} as until_on

    from {{ ref(model) }}

    where known_on > {{ add_days(window_start(), -freshness_days(table)) }}
        and known_on < {{ window_end() }}

    group by known_on

    {{ 'union all' if not loop.last }}

    {% endfor %}

),

fresh_days as (

    select
        window_days.as_of_date,
        {% for source_name in fresh_sources -%}
        max(case when arrivals.source_name = '{{ source_name }}' then 1 else 0 end)
            as is_fresh_{{ source_name }}{{ ',' if not loop.last }}
        {% endfor %}
    from window_days

    left join arrivals
        on window_days.as_of_date >= arrivals.from_on
        and window_days.as_of_date < arrivals.until_on

    group by window_days.as_of_date

),

matched as (

    select source_keys.source_name, source_keys.match_key as account_id, source_keys.first_known_on as matched_on
    from source_keys
    where source_keys.key_kind = 'account'

    union all

    select
        source_keys.source_name,
        account_keys.account_id,
        greatest(source_keys.first_known_on, account_keys.from_on) as matched_on

    from source_keys

    inner join account_keys
        on source_keys.key_kind = account_keys.key_kind
        and source_keys.match_key = account_keys.match_key
        and source_keys.first_known_on < account_keys.until_on

    union all

    select
        source_keys.source_name,
        user_segments.account_id,
        greatest(source_keys.first_known_on, user_segments.from_on) as matched_on

    from source_keys

    inner join user_segments
        on source_keys.key_kind = 'user'
        and source_keys.match_key = user_segments.user_id
        and source_keys.first_known_on < user_segments.until_on

    where user_segments.account_id is not null

),

matched_accounts as (

    select
        account_id,
        {% for source_name in sources -%}
        min(case when source_name = '{{ source_name }}' then matched_on end)
            as {{ source_name }}_matched_on{{ ',' if not loop.last }}
        {% endfor %}
    from matched

    group by account_id

),

watched as (

    select
        account_days.account_id,
        account_days.as_of_date,
        {% for source_name in sources -%}
        coalesce(matched_accounts.{{ source_name }}_matched_on <= account_days.as_of_date, false)
        {%- if source_name in fresh_sources %}
            and coalesce(fresh_days.is_fresh_{{ source_name }}, 0) = 1
        {%- endif %}
            as watchable_{{ source_name }}{{ ',' if not loop.last }}
        {% endfor %}
    from account_days

    left join matched_accounts on account_days.account_id = matched_accounts.account_id

    left join fresh_days on account_days.as_of_date = fresh_days.as_of_date

)

select * from watched
