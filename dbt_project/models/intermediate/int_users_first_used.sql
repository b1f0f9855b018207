{{ config(
    materialized='incremental',
    incremental_strategy='replace_window',
    meta={'window_column': 'counted_on'},
) }}

with

usage_rows as (

    select * from {{ ref('stg_product__usage') }}

    where user_id is not null
        and used_on < {{ window_end() }}
        and known_on < {{ window_end() }}
        {% if is_incremental() -%}
        and (used_on >= {{ window_start() }} or known_on >= {{ window_start() }})
        {%- endif %}

),

counted as (

    select
        coalesce(account_id, '') as account_id,
        case when account_id is null then coalesce(subscription_id, '') else '' end as subscription_id,
        user_id,
        greatest(used_on, known_on) as counted_on,
        min(used_on) as first_used_on

    from usage_rows

    group by
        coalesce(account_id, ''),
        case when account_id is null then coalesce(subscription_id, '') else '' end,
        user_id,
        greatest(used_on, known_on)

),

candidates as (

    select account_id, subscription_id, user_id, counted_on, first_used_on from counted

    {% if is_incremental() %}
    union all

    select account_id, subscription_id, user_id, counted_on, first_used_on
    from {{ this }}
    where counted_on < {{ window_start() }}
    {% endif %}

),

compared as (

    select
        *,
        min(first_used_on) over (
            partition by account_id, subscription_id, user_id order by counted_on
            rows between unbounded preceding and 1 preceding
        ) as earlier_used_on

    from candidates

)

-- One row whenever a user's first use moves back: at the first row, and when a late row is older still.
select
    account_id,
    subscription_id,
    user_id,
    counted_on,
    first_used_on

from compared

where {{ newly_known('counted_on') }}
    and (earlier_used_on is null or first_used_on < earlier_used_on)
