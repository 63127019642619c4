"""The functions a query may call, and those that may fail on a row's value.

Everything not listed is refused: functions that read (file, dictGet, joinGet), call out (url), tell about the server (version, getSetting),
stall (sleep), raise at will (throwIf), grow without bound (repeat, range), depend on how rows are stored (runningDifference, rowNumberInBlock)
or return binary states (sumState).
"""

from __future__ import annotations

from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


AGGREGATES = _words("""
    count sum avg min max any anyLast argMin argMax uniq uniqExact uniqCombined uniqCombined64 uniqHLL12
    quantile quantiles quantileExact quantilesExact quantileExactLow quantileExactHigh quantileExactInclusive quantileExactExclusive
    quantileExactWeighted quantileTiming quantileTDigest quantilesTDigest quantileDeterministic quantileInterpolatedWeighted
    quantileBFloat16 median medianExact medianExactLow medianExactHigh medianTDigest
    stddevPop stddevSamp varPop varSamp covarPop covarSamp corr stddev_pop stddev_samp var_pop var_samp covar_pop covar_samp
    skewPop skewSamp kurtPop kurtSamp entropy groupArray groupUniqArray topK topKWeighted sumKahan sumCount avgWeighted
    simpleLinearRegression groupBitAnd groupBitOr groupBitXor deltaSum boundingRatio first_value last_value any_value
    exponentialMovingAverage contingency cramersV theilsU rankCorr
    row_number rank dense_rank percent_rank cume_dist ntile lag lead lagInFrame leadInFrame nth_value nonNegativeDerivative
""")
COMBINATORS = ("If", "OrNull", "OrDefault", "Distinct", "ArgMin", "ArgMax")

# Never fail whatever the row holds, for the argument types ClickHouse accepts at all.
TOTAL = _words("""
    and or not xor equals notEquals less greater lessOrEquals greaterOrEquals isNull isNotNull isZeroOrNull
    if multiIf ifNull nullIf coalesce assumeNotNull toNullable greatest least
    plus minus multiply divide negate abs sign round floor ceil ceiling trunc truncate sqrt cbrt exp exp2 exp10 ln log log2 log10 log1p
    pow power sin cos tan asin acos atan atan2 sinh cosh tanh degrees radians pi e
    isNaN isFinite isInfinite ifNotFinite intDivOrZero intDivOrNull moduloOrZero moduloOrNull divideOrNull
    toDate toDate32 toDateTime toYear toQuarter toMonth toDayOfMonth toDayOfWeek toDayOfYear toHour toMinute toSecond toISOYear toISOWeek
    toWeek toYearWeek year quarter month day dayOfMonth dayOfWeek dayOfYear hour minute second week
    toStartOfDay toStartOfHour toStartOfMinute toStartOfMonth toStartOfQuarter toStartOfYear toStartOfWeek toStartOfISOYear
    toStartOfInterval toStartOfFiveMinutes toStartOfTenMinutes toStartOfFifteenMinutes toMonday toLastDayOfMonth toLastDayOfWeek
    toYYYYMM toYYYYMMDD toYYYYMMDDhhmmss toTime toUnixTimestamp dateDiff date_diff dateTrunc date_trunc dateName
    addSeconds addMinutes addHours addDays addWeeks addMonths addQuarters addYears
    subtractSeconds subtractMinutes subtractHours subtractDays subtractWeeks subtractMonths subtractQuarters subtractYears
    toIntervalSecond toIntervalMinute toIntervalHour toIntervalDay toIntervalWeek toIntervalMonth toIntervalQuarter toIntervalYear
    today yesterday now formatDateTime toTimeZone monthName timestampDiff age
    lower upper lowerUTF8 upperUTF8 lcase ucase length lengthUTF8 char_length character_length trim trimBoth trimLeft trimRight ltrim rtrim
    concat concatWithSeparator concat_ws empty notEmpty toString startsWith endsWith left right leftUTF8 rightUTF8
    substring substr substringUTF8 mid position positionCaseInsensitive positionUTF8 positionCaseInsensitiveUTF8 locate reverse reverseUTF8
    like ilike notLike notILike replaceAll replaceOne replace initcap initcapUTF8
    toInt8OrNull toInt16OrNull toInt32OrNull toInt64OrNull toUInt8OrNull toUInt16OrNull toUInt32OrNull toUInt64OrNull
    toFloat32OrNull toFloat64OrNull toDateOrNull toDate32OrNull toDateTimeOrNull toInt32OrZero toInt64OrZero toUInt32OrZero toUInt64OrZero
    toFloat32OrZero toFloat64OrZero toDateOrZero toDateTimeOrZero accurateCastOrNull
    parseDateTimeOrNull parseDateTimeBestEffortOrNull parseDateTimeBestEffortOrZero parseDateTimeBestEffortUSOrNull
    parseDateTimeInJodaSyntaxOrNull parseDateTime64OrNull parseDateTime64BestEffortOrNull
    timezoneOffset toStartOfSecond
    tuple array has hasAny hasAll indexOf transform grouping grouping_id
    SHA256 hex sipHash64 cityHash64 xxHash64 bitAnd
""") - _words("toDate toDate32 toDateTime")  # of a String these parse, and may fail

# May fail on a value: parsing, integer division, overflow, patterns taken from a column.
PARTIAL = _words("""
    toDate toDate32 toDateTime toDateTime64 date dateAdd dateSub date_add date_sub timestamp_add timestamp_sub timestampAdd timestampSub
    timeSlot makeDate makeDate32 makeDateTime parseDateTime parseDateTimeBestEffort parseDateTimeBestEffortUS parseDateTime64BestEffort
    fromUnixTimestamp fromUnixTimestamp64Milli fromUnixTimestamp64Micro toUnixTimestamp64Milli
    toInt8 toInt16 toInt32 toInt64 toInt128 toInt256 toUInt8 toUInt16 toUInt32 toUInt64 toUInt128 toUInt256 toFloat32 toFloat64
    toDecimal32 toDecimal64 toDecimal128 toDecimal256 toDecimal32OrNull toDecimal64OrNull toDecimal128OrNull toDecimal64OrZero
    toDecimalString toBool toUUID toUUIDOrNull cast accurateCast intDiv modulo mod positiveModulo roundBankers
    roundToExp2 roundDuration roundAge roundDown gcd lcm factorial bitOr bitXor bitNot bitShiftLeft bitShiftRight bitTest
    match extract extractAll replaceRegexpOne replaceRegexpAll multiSearchAny countSubstrings splitByChar splitByString splitByRegexp
    arrayStringConcat alphaTokens base64Encode hexUnhex tokens ngrams domain domainWithoutWWW protocol path cutQueryString
    levenshteinDistance damerauLevenshteinDistance jaroSimilarity jaroWinklerSimilarity editDistance ngramDistance soundex
    arrayMap arrayFilter arraySort arrayReverseSort arraySum arrayAvg arrayMin arrayMax arrayCount arrayExists arrayAll arrayFirst arrayLast
    arrayFirstIndex arrayDistinct arrayUniq arrayConcat arraySlice arrayReverse arrayPushBack arrayPushFront arrayCumSum arrayDifference
    arrayEnumerate arrayZip arrayFlatten arrayCompact arrayIntersect arrayReduce arrayPopBack arrayPopFront countEqual emptyArrayToSingle
    widthBucket arrayElement tupleElement map mapKeys mapValues mapContains tupleConcat
    JSONExtractString JSONExtractInt JSONExtractUInt JSONExtractFloat JSONExtractBool JSONExtractRaw JSONHas JSONLength JSON_VALUE
    visitParamExtractString visitParamExtractInt isValidUTF8 toValidUTF8 MD5 geoDistance greatCircleDistance
    toTypeName ascii formatReadableQuantity formatReadableSize formatReadableTimeDelta bar
""") - _words("arrayReduce hexUnhex")  # arrayReduce names a function in a string

# Fail on a pattern, format, unit or zone that comes from a row.
PATTERNED = _words("like ilike notLike notILike formatDateTime toTimeZone dateName dateTrunc date_trunc toStartOfInterval toString")
PATTERNED = frozenset(name.lower() for name in PATTERNED)

_AGGREGATES = {name.lower(): name for name in AGGREGATES}
_SCALARS = frozenset(name.lower() for name in TOTAL | PARTIAL)
_TOTAL = frozenset(name.lower() for name in TOTAL)


@lru_cache(maxsize=4096)
def is_aggregate(name: str) -> bool:
    """Whether `name` is an allowed aggregate or window function, with any stack of allowed combinators (sumIf, avgOrNullIf)."""
    if name.lower() in _AGGREGATES:
        return True
    return any(name.endswith(suffix) and len(name) > len(suffix) and is_aggregate(name[: -len(suffix)]) for suffix in COMBINATORS)


@lru_cache(maxsize=4096)
def is_allowed(name: str) -> bool:
    """Whether a query may call `name`. No two ClickHouse functions differ in case only, so case is not told apart."""
    return name.lower() in _SCALARS or is_aggregate(name)


@lru_cache(maxsize=4096)
def is_total(name: str) -> bool:
    """Whether `name` never fails on a value, so that evaluating it on a row that is filtered out later cannot be noticed."""
    return name.lower() in _TOTAL or is_aggregate(name)


def known() -> list[str]:
    """All names, for suggestions."""
    return sorted(AGGREGATES | TOTAL | PARTIAL)
