"""Words of column names that tell what a column is. General business English; nothing here belongs to one database."""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


ID = _set("id identifier uid uuid guid key pk fk sk ids oid rowid")
CODE = _set("code number no sku isbn vin barcode ean upc iban swift bic zip postcode postal symbol ticker hash token ip mac imei")
ORDINAL = _set("rank position order sequence index level version step priority ordinal")
AUDIT = _set(
    "created inserted updated modified loaded ingested synced imported refreshed processed etl load insert update extracted dwh audit lastmod deleted"
)
# Of those, when a row came to be: its own time where no better one is always filled.
CREATED = _set("created")
TIME = _set("date time datetime timestamp day at on")
TIME_END = _set("end close closed expiration expiry expire expires expired due termination terminated finish finished cancel cancelled canceled "
                "return returned delivery delivered settlement settled reopen resolved shipped ship completed until")  # fmt: skip
BIRTH = _set("birth born dob birthday birthdate")
TIME_START = _set("start started begin began departed open opened effective event occurred occurrence transaction order invoice sale purchase posting booking value "
                  "visit signup join joined hire hired registration registered enrollment admission arrival departure first")  # fmt: skip

PERSON = _set("customer client patient user member subscriber employee applicant contact guest passenger student donor policyholder individual person "
              "people buyer borrower tenant resident voter respondent participant cardholder payer recipient staff worker candidate")  # fmt: skip
PERSON_PUBLIC = _set("author artist actor player salesperson agent rep representative instructor teacher manager driver director singer")
# Words for a person, or for the part that one plays in an event.
PERSON_PART = PERSON | PERSON_PUBLIC | _set(
    "coach advisor adviser mentor tutor supervisor boss owner assignee approver reviewer dispatcher creator organizer organiser host lead seller inspector "
    "operator technician cashier planner officer lecturer professor doctor nurse referrer editor requester reporter consultant trainer "
    "recruiter interviewer picker packer checker auditor examiner engineer mechanic pilot captain courier handler loader surveyor adjuster underwriter broker "
    "appraiser landlord salesman therapist surgeon"
)  # fmt: skip

# What one person does to another, and to a record: "referred_by" is who, while "cited_by" may be how many.
DONE_BY_PEERS = _set("referred invited recommended recruited introduced mentored sponsored nominated taught coached supervised")
DONE_BY_ONE = DONE_BY_PEERS | _set(
    "created updated modified approved assigned handled entered recorded requested signed submitted processed inspected issued sold performed hired"
)

# A quantity of which a sum over rows means something.
EXTENSIVE = _set("amount total quantity count revenue sales cost expense fee tax commission volume units shares payment payments paid spend spending "
                 "budget profit loss margin income earnings discount refund refunds premium claim salary wage bonus tip donation impressions clicks "
                 "views visits sessions conversions orders downloads installs minutes hours seconds days nights duration population area sold "
                 "purchased returned shipped produced consumption energy kwh bytes likes votes points goals assists runs credits debit credit "
                 "subtotal gross net turnover gmv proceeds value payout deposit withdrawal interest penalty charge charges passengers guests adults "
                 "children babies people rentals bookings cancellations trips calls emails messages tickets incidents errors requests transactions")  # fmt: skip
# A quantity whose sum over rows means nothing; the average is what people ask for.
INTENSIVE = _set("rate ratio percent percentage share price average mean median score rating grade gpa temperature humidity pressure speed "
                 "velocity latitude longitude altitude elevation height width depth length weight age density index probability odds "
                 "yield coefficient factor growth change target threshold minimum maximum limit capacity utilization efficiency satisfaction nps "
                 "rank level open high low close closing bid ask exchange multiplier apr apy wind windspeed atemp per lead tenure distance range "
                 "intensity frequency ctr cpc cpm cpa roas arpu aov size stars iq bmi horsepower mpg strength concentration ph volatility")  # fmt: skip
BALANCE = _set("balance stock inventory headcount backlog outstanding onhand reserve reserves position holdings")
MONEY = _set("amount price cost revenue sales fee tax commission payment spend spending budget profit loss margin income earnings discount refund premium "
             "salary wage bonus balance value payout deposit withdrawal interest penalty charge gmv turnover proceeds subtotal fare expense")  # fmt: skip
YEAR = _set("year")
# What happened in a year that a column may be named after ("founded", "year_hired").
YEAR_EVENT = _set(
    "founded established built constructed opened launched released introduced incorporated formed debuted born completed hired joined published"
)
CALENDAR_PART = _set("month week quarter weekday hour dow")
FLAG_LEADS = _set("is has was had can did does should are allow allows requires needs flag")
FLAG_WORDS = _set("flag indicator active enabled deleted canceled cancelled valid verified open closed")
NAME = _set("name title label symbol headline")
TEXT = _set(
    "description comment comments note notes text abstract summary body message content address introduction remarks remark reason review bio details url homepage link"
)
UP = _set(
    "revenue sales profit margin income earnings conversion conversions orders "
    "retention satisfaction nps rating score growth visits sessions subscribers signups bookings turnover gmv"
)
DOWN = _set("cost costs expense expenses churn refund refunds cancellations cancellation returns error errors latency complaints complaint loss losses defects defect "
            "incidents debt downtime bounce delay delays chargeback chargebacks")  # fmt: skip

PII_WORDS: dict[str, frozenset[str]] = {
    "contact": _set("email mail phone telephone mobile fax cell whatsapp"),
    "identity": _set("ssn passport nino itin ein taxid aadhaar license licence iban pan cvv cvc ip mac imei ssnumber"),
    "birth": _set("birth birthday birthdate born"),
    "address": _set("address street house apartment apt postal postcode zip"),
    "secret": _set("password passwd pwd secret token pin hash salt"),
}

UNITS: dict[str, str] = {
    "usd": "USD", "eur": "EUR", "gbp": "GBP", "jpy": "JPY", "chf": "CHF", "inr": "INR", "cad": "CAD", "aud": "AUD", "dollar": "USD", "dollars": "USD",
    "euro": "EUR", "euros": "EUR", "pounds sterling": "GBP", "percent": "percent", "percentage": "percent", "pct": "percent",
    "kg": "kg", "kilogram": "kg", "kilograms": "kg", "grams": "g", "lb": "lb", "lbs": "lb", "pounds": "lb", "tonnes": "t", "km": "km",
    "kilometer": "km", "kilometers": "km", "kilometres": "km", "miles": "mi", "meter": "m", "meters": "m", "metres": "m", "feet": "ft", "inches": "in", "cm": "cm",
    "mm": "mm", "square kilometers": "km2", "square kilometres": "km2", "square miles": "mi2", "square meters": "m2", "square feet": "ft2", "sqft": "ft2",
    "km2": "km2", "sqkm": "km2", "m2": "m2", "ft": "ft", "mi": "mi",
    "milliseconds": "ms", "ms": "ms", "seconds": "s", "secs": "s", "minutes": "min", "mins": "min", "hours": "h", "hrs": "h", "days": "d",
    "weeks": "weeks", "months": "months", "years": "years", "nights": "nights", "bytes": "B", "kb": "kB", "mb": "MB", "gb": "GB", "kwh": "kWh", "mwh": "MWh",
    "celsius": "°C", "fahrenheit": "°F", "kph": "km/h", "mph": "mph", "miles per hour": "mph",
    "kilometers per hour": "km/h", "liters": "l", "litres": "l", "gallons": "gal",
}  # fmt: skip
CURRENCIES = frozenset({"USD", "EUR", "GBP", "JPY", "CHF", "INR", "CAD", "AUD"})

# The noun of what a participle tells.
NOUN_OF: dict[str, str] = {
    "canceled": "cancellation", "cancelled": "cancellation", "returned": "return", "churned": "churn", "converted": "conversion", "refunded": "refund",
    "approved": "approval", "rejected": "rejection", "defaulted": "default", "retained": "retention", "delivered": "delivery",
    "completed": "completion", "resolved": "resolution", "opened": "open", "clicked": "click", "subscribed": "subscription", "delayed": "delay",
    "renewed": "renewal", "activated": "activation", "accepted": "acceptance", "won": "win", "lost": "loss",
    "bounced": "bounce", "escalated": "escalation", "readmitted": "readmission", "attended": "attendance", "failed": "failure",
}  # fmt: skip
