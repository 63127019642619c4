"""Words that say nothing about the data by themselves: fillers, light verbs, and opposites of yes/no names."""

from __future__ import annotations

# Words that carry no meaning of their own in a question about data. They need no explanation by a reading.
STOP = frozenset(
    """
    a an the i me my we our ours us you your please kindly just only also too very so then than such some any all s t re ve d ll hi
    hello hey dear thanks thank thx tks cheers pls plz asap fyi ok okay well now currently . ? ! " ' - … * # ~ | @ ^ \\ < > ' ’ ` this that it's lets let want wants
    wanted like know see look looking need needs needed help would could can may whether if here there else ever yet still even much
    more both either neither up down out off about quite rather really actually basically simply exactly roughly approximately around
    ones one's own same other others another etc e.g i.e eg ie vs based given using use used uses via terms term regards respect
    regarding concerning along by of in on at to for from with as into do does did be is are was were been has have had and or
    """.split()
)

# Words that may stand beside data words without adding a condition: frames, fillers, names for the data itself, light verbs.
SOFT = frozenset(
    """
    database databases dataset data record records row rows entry entries list lists table tables result results answer output details
    detail info information corresponding respective respectively correspond associated associate related relation relating belonging
    belong belongs made make makes making place placed places took take takes taking happen happened happens occur occurred occurs
    occurring exist exists existing available find found get gets got come comes came go goes went give given gives number value
    values figure figures item items thing things case cases instance instances column columns field fields format date dates day days
    time times period periods name names display displayed shown seen include includes included including inclusive exclusive overall
    everything total across within each every per different various particular specific certain following above below question query
    sql report reports breakdown summary overview statistics stats numbers combination combinations combo pair pairs pairing group
    groups grouping split type types kind kinds sort sorts category level levels way ways full complete whole entire single individual
    present presented currently today's ensure note recall remember treat consider considered assume round rounded decimal decimals
    places place integer whole consist consists contain contained have had do done show shows showed serve served serving offer
    offered offers receive received receives live lives located living reside found based want answer return
    returned returns per unique distinct again order ordered as-is name's results' respectively only first last next previous order
    sum average mean count max min ratio percentage percent possible part parts rank best worst most least highest lowest amounts
    amount relative relation represent represents represented vary varies differ differs compare change changes between during year
    month week quarter hour minute years months weeks quarters hours minutes day's regular convert converted datetime unix
    timestamp alphabetical alphabetically descending ascending no. nr left inner outer something anything someone anyone instead rather ones only distribution
    distributed spread depending type's doing trending developing evolving looking far long many much often total's hand kept
    keep keeps held holding hold remain remaining
    """.split()
)

# Verbs that tie two things together. Not linked to the catalog they say no more than that the things belong together.
RELATING = frozenset(
    """
    sold paid published posted placed purchased bought ordered submitted issued filed created written given sent held taken offered
    produced visited booked registered enrolled taught attended presented featured listed reported recorded awarded handled processed
    used owned managed assigned linked tied connected attached stored tracked captured involving involved involves corresponding
    generated charged sell pay publish post buy submit write give send hold take offer produce visit book teach attend present own
    manage handle process come comes came belong worked work works living live lives actively bring brings brought generate generates
    generated drive drives drove driven yield yields perform performs performed contribute contributes accounts see saw deliver
    deliveries attract attracts spend spent cause causes caused
    leaving leaves fly flies flew flown depart departs departing departed arrive arrives arriving arrived lands landing landed
    treat treated teaches teach makes ships shipped collected transferred charged billed invoiced raised incurred
    run runs running flow flows flowing pass passes passing cross crosses crossing lie lies lying stretch stretches operate operates operated
    operating begins begin ends ending
    lasted lasting lasts earn earns earned earning weigh weighs win won wins winning gain gained gains acquire acquired acquires add added adds
    sells buys writes wrote writing authored hosts hosted hosting
    """.split()
)

# A word and the opposite of a yes/no field's name.
OPPOSITES = {
    "closed": "open",
    "inactive": "active",
    "unpaid": "paid",
    "disabled": "enabled",
    "unverified": "verified",
    "incomplete": "complete",
    "unavailable": "available",
    "offline": "online",
    "unsubscribed": "subscribed",
    "unread": "read",
    "undelivered": "delivered",
    "unresolved": "resolved",
    "unapproved": "approved",
    "invalid": "valid",
    "private": "public",
    "nonrefundable": "refundable",
    "deactivated": "active",
    "unshipped": "shipped",
    "unmarried": "married",
    "female": "male",
    "male": "female",
    "untaxed": "taxed",
    "unregistered": "registered",
    "uninsured": "insured",
    "nonsmoking": "smoking",
}
