{% macro last_not_null(expression, partition_by, order_by, until='current row') -%}
    {{ return(adapter.dispatch('last_not_null', 'expansion')(expression, partition_by, order_by, until)) }}
{%- endmacro %}

{% macro default__last_not_null(expression, partition_by, order_by, until) -%}
    last_value({{ expression }}) ignore nulls over (
        partition by {{ partition_by }} order by {{ order_by }} rows between unbounded preceding and {{ until }}
    )
{%- endmacro %}

{% macro duckdb__last_not_null(expression, partition_by, order_by, until) -%}
    last_value({{ expression }} ignore nulls) over (
        partition by {{ partition_by }} order by {{ order_by }} rows between unbounded preceding and {{ until }}
    )
{%- endmacro %}
