with

source as (

    select * from {{ source('raw', 'billing_invoices') }}

),

id_overrides as (

    {{ id_overrides() }}

),

renamed as (

    select
        ---------- ids
        cast(invoice_id as string) as invoice_id,
        {{ account_by_id() }} as account_id,
        'billing_invoices' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(currency as string) as currency,

        ---------- numerics
        cast(amount as double) as amount,
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,
        id_overrides.overridden_id is not null as is_account_overridden,

        ---------- dates and times
        cast(issued_on as date) as issued_on,
        cast(due_on as date) as due_on,
        cast(paid_on as date) as paid_on,
        cast(updated_at as timestamp) as updated_at,
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
