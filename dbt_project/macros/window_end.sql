{% macro window_end() -%}
    (select run_window.window_end from {{ source('control', 'run_window') }} as run_window)
{%- endmacro %}
