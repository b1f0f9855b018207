with

source as (

    select * from {{ source('raw', 'billing_subscription_lines') }}

),

id_overrides as (

    {{ id_overrides() }}

),

renamed as (

    select
        ---------- ids
        cast(line_id as string) as line_id,
        {{ account_by_id() }} as account_id,
        'billing_subscription_lines' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(product as string) as product,
        cast(unit as string) as unit,
        cast(currency as string) as currency,
        cast(billing_period as string) as billing_period,
        cast(tier as string) as tier,
        cast(module as string) as module,
        {{ clean_label('licensed_departments') }} as licensed_departments,

        ---------- numerics
        cast(quantity as double) as quantity,
        cast(unit_price as double) as unit_price,
        cast(arr as double) as arr,
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(restricts_departments as boolean) as restricts_departments,
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,
        id_overrides.overridden_id is not null as is_account_overridden,

        ---------- dates and times
        cast(starts_on as date) as starts_on,
        cast(ends_on as date) as ends_on,
        cast(signed_at as timestamp) as signed_at,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

    {{ join_id_overrides() }}

)

select * from renamed
