{% macro window_start() -%}
    (select run_window.window_start from {{ source('control', 'run_window') }} as run_window)
{%- endmacro %}
