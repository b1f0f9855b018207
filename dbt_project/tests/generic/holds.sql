{% test holds(model, expression, window_column=none) %}

-- Null is no failure: what cannot be measured cannot be wrong.
select *

from {{ model }}

where not ({{ expression }})
{%- if window_column %}
    and {{ in_run_window(window_column) }}
{%- endif %}

{% endtest %}
