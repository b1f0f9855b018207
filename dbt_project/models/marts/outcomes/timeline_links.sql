{{ config(meta={'window_column': 'known_on'}) }}

with

evidence as (

    select * from {{ source('triggers', 'evidence') }}

    where {{ newly_known('as_of_date') }}

),

timeline_events as (

    select * from {{ ref('timeline_events') }}

    where known_on < {{ window_end() }}

),

turns as (

    select * from {{ ref('stg_meetings__turns') }}

    where version_no = 1

),

notes as (

    select * from {{ ref('stg_meetings__notes') }}

    where version_no = 1

),

card_reviews as (

    select * from {{ source('readiness', 'card_reviews') }}

    where {{ newly_known('known_on') }}

),

cards as (

    select * from {{ source('readiness', 'cards') }}

    where {{ newly_known('as_of_date') }}

),

opportunities as (

    -- Since when each opportunity names the firing: later versions of it say nothing new.
    select
        source_table,
        row_key,
        firing_id,
        min(known_on) as known_on

    from {{ ref('stg_crm__opportunities') }}

    where firing_id is not null
        and known_on < {{ window_end() }}

    group by source_table, row_key, firing_id

),

-- What was said in a call stands in the timeline as the call's note.
spoken_evidence as (

    select
        evidence.firing_id,
        notes.source_table,
        notes.row_key,
        evidence.as_of_date

    from evidence

    inner join turns on evidence.row_key = turns.row_key

    inner join notes on turns.note_id = notes.note_id

    where evidence.source_table = 'meetings_turns'

),

links as (

    select
        evidence.firing_id,
        timeline_events.event_key,
        'evidence' as link,
        evidence.as_of_date as known_on

    from evidence

    inner join timeline_events
        on evidence.source_table = timeline_events.source_table
        and evidence.row_key = timeline_events.row_key
        and evidence.happened_at = timeline_events.happened_at
        and evidence.as_of_date >= timeline_events.known_on

    union all

    select
        spoken_evidence.firing_id,
        timeline_events.event_key,
        'evidence' as link,
        spoken_evidence.as_of_date as known_on

    from spoken_evidence

    inner join timeline_events
        on spoken_evidence.source_table = timeline_events.source_table
        and spoken_evidence.row_key = timeline_events.row_key
        and spoken_evidence.as_of_date >= timeline_events.known_on

    union all

    select
        cards.firing_id,
        timeline_events.event_key,
        'review' as link,
        card_reviews.known_on

    from card_reviews

    inner join cards
        on card_reviews.card_id = cards.card_id
        and card_reviews.known_on = cards.as_of_date

    inner join timeline_events
        on card_reviews.event_id = timeline_events.row_key
        and card_reviews.known_on >= timeline_events.known_on
        and timeline_events.source_table in ('play_log', 'crm_meetings')

    union all

    select
        opportunities.firing_id,
        timeline_events.event_key,
        'opportunity' as link,
        greatest(opportunities.known_on, timeline_events.known_on) as known_on

    from opportunities

    inner join timeline_events
        on opportunities.row_key = timeline_events.row_key
        and opportunities.source_table = timeline_events.source_table

)

select
    firing_id,
    event_key,
    link,
    min(known_on) as known_on

from links

where {{ newly_known('known_on') }}

group by firing_id, event_key, link
