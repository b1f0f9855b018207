with

source as (

    select * from {{ source('raw', 'crm_owner_absences') }}

),

renamed as (

    select
        ---------- ids
        cast(absence_id as string) as absence_id,
        cast(owner_id as string) as owner_id,
        'crm_owner_absences' as source_table,
        cast(row_key as string) as row_key,

        ---------- numerics
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast(from_on as date) as from_on,
        cast(to_on as date) as to_on,
        cast(entered_at as timestamp) as entered_at,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

)

select * from renamed
