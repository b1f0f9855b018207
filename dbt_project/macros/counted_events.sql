{% macro counted_events() -%}
    {#- One row per column of account_day that counts events of a window. A further one: a row here, a row under
        account_day in _features__models.yml, a row under int_account_measures, a row of signals.yml. -#}
    {%- set day_counts = [var('activity_days'), var('engagement_days'), var('growth_event_days'), var('advocacy_days')] -%}
    {%- set (activity, engagement, growth, advocacy) = day_counts -%}
    {{ return([
        {'column': 'limit_events_28d', 'source': 'product', 'table': 'product_limit_events', 'days': activity,
         'kinds': ['api_limit', 'storage_cap', 'feature_cap', 'access_denied']},
        {'column': 'access_denied_28d', 'source': 'product', 'table': 'product_limit_events', 'days': activity,
         'kinds': ['access_denied']},
        {'column': 'workflow_events_28d', 'source': 'product', 'table': 'product_workflow_events', 'days': activity,
         'kinds': ['workflow_created']},
        {'column': 'export_rows_28d', 'source': 'product', 'table': 'product_workflow_events', 'days': activity,
         'kinds': ['export'], 'amount': 'quantity', 'type': 'double'},
        {'column': 'executive_meetings_90d', 'source': 'engagement', 'table': 'engagement_events', 'days': engagement,
         'kinds': ['executive_meeting']},
        {'column': 'webinars_90d', 'source': 'engagement', 'table': 'engagement_events', 'days': engagement,
         'kinds': ['webinar']},
        {'column': 'roadmap_requests_90d', 'source': 'engagement', 'table': 'engagement_events', 'days': engagement,
         'kinds': ['roadmap_request']},
        {'column': 'referrals_90d', 'source': 'engagement', 'table': 'engagement_events', 'days': engagement,
         'kinds': ['referral']},
        {'column': 'value_milestones_90d', 'source': 'engagement', 'table': 'engagement_events', 'days': engagement,
         'kinds': ['value_milestone', 'outcome_evidence']},
        {'column': 'growth_events_90d', 'source': 'growth', 'table': 'growth_events', 'days': growth,
         'kinds': ['funding', 'new_location']},
        {'column': 'funding_rounds_90d', 'source': 'growth', 'table': 'growth_events', 'days': growth,
         'kinds': ['funding']},
        {'column': 'new_locations_90d', 'source': 'growth', 'table': 'growth_events', 'days': growth,
         'kinds': ['new_location']},
        {'column': 'job_posts_90d', 'source': 'growth', 'table': 'growth_events', 'days': growth,
         'kinds': ['job_post']},
        {'column': 'advocacy_events_180d', 'source': 'feedback', 'table': 'feedback_references', 'days': advocacy,
         'kinds': ['review', 'reference', 'case_study']},
    ]) }}
{%- endmacro %}
