{%- set measures = [
    'active_users', 'withdrawn_users', 'excluded_users', 'advanced_features', 'assigned_seats',
    'active_assigned_users', 'usage_minutes', 'usage_events', 'module_uses', 'uncontracted_uses', 'seat_lines',
    'contracted_seats', 'priced_seats', 'seat_value', 'restricting_lines', 'licensed_departments', 'known_invoices',
    'tickets', 'open_tickets', 'open_high_tickets', 'open_escalations', 'champions', 'consented_contacts',
    'refused_contacts', 'new_stakeholders_90d', 'function_job_posts_90d', 'intent_topics',
] + (counted_events() | map(attribute='column') | list) -%}

with

account_days as (

    select * from {{ ref('int_account_days') }}

),

product_intervals as (

    select * from {{ ref('int_product_measure_intervals') }}

),

account_intervals as (

    select * from {{ ref('int_account_measure_intervals') }}

),

measure_intervals as (

    select account_id, measure, amount, from_on, until_on from product_intervals

    union all

    select account_id, measure, amount, from_on, until_on from account_intervals

),

measures as (

    {{ daily_sums('measure_intervals', 'account_days', ['account_id'], measures) }}

)

select * from measures
