with

source as (

    select * from {{ source('raw', 'crm_accounts') }}

),

domains as (

    select domain as spelt_domain, company_domain from {{ ref('stg_identity__domains') }}

),

titles as (

    select title as spelt_title, function as title_function from {{ source('identity', 'titles') }}

),

renamed as (

    select
        ---------- ids
        cast(account_id as string) as account_id,
        cast(owner_id as string) as owner_id,
        cast(ae_id as string) as ae_id,
        'crm_accounts' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        cast(name as string) as account_name,
        domains.company_domain as domain,
        cast(segment as string) as segment,
        cast(country as string) as country,
        cast(currency as string) as currency,
        cast(use_case as string) as use_case,
        cast(using_function as string) as using_function,
        coalesce(titles.title_function, {{ clean_label('using_function') }}) as function_key,
        cast(status as string) as account_status,

        ---------- numerics
        cast(arr as double) as arr,
        cast(notice_days as bigint) as notice_days,
        cast(fiscal_year_end_month as bigint) as fiscal_year_end_month,
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast(first_paid_on as date) as first_paid_on,
        cast(renewal_on as date) as renewal_on,
        cast(updated_at as timestamp) as updated_at,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

    left join domains on source.domain = domains.spelt_domain

    left join titles on source.using_function = titles.spelt_title

)

select * from renamed
