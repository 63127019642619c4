"""Words that say what to do rather than what about: aggregates, comparisons, ranking, grouping, order, negation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FuncKind = Literal[
    "agg", "count", "distinct", "super", "top", "by", "each", "cmp", "between", "neg", "order", "direction", "output", "wh", "transform", "compare",
    "ratio", "share", "grain", "cycle", "duration", "both", "and", "or", "comma", "relative", "pronoun", "soft", "prep", "postcmp", "null", "contains",
    "more", "stop", "of", "op", "define", "have", "nth", "change", "versus_avg", "times", "round", "possessive", "open", "close", "per_row",
    "moved", "moved_most",
]  # fmt: skip


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Func:
    kind: FuncKind
    value: str = ""


def _rows(kind: FuncKind, value: str, text: str) -> dict[tuple[str, ...], Func]:
    return {tuple(phrase.split()): Func(kind, value) for phrase in text.split("|")}


FUNCTIONS: dict[tuple[str, ...], Func] = {
    **_rows("agg", "sum", (
            "total|sum of|total of|overall|combined|sum|in total|totals|sum up|aggregate|how much|grand total|total amount of|"
            "the sum of|summed|total value of"
        )),
    **_rows("agg", "avg", "average|mean|avg|on average|average of|mean of|the average of|typical|averaged|averages"),
    **_rows("agg", "median", "median|median of|p50"),
    **_rows("agg", "p90", "p90|90th percentile|90th percentile of"),
    **_rows("agg", "p95", "p95|95th percentile|95th percentile of"),
    **_rows("agg", "p99", "p99|99th percentile|99th percentile of"),
    **_rows("agg", "p25", "p25|25th percentile|first quartile|lower quartile"),
    **_rows("agg", "p75", "p75|75th percentile|third quartile|upper quartile"),
    **_rows("agg", "stddev", "standard deviation|standard deviation of|stddev|stdev|variability of"),
    **_rows("agg", "max", "maximum|max|maximum of|max of|peak"),
    **_rows("agg", "min", "minimum|min|minimum of|min of"),
    **_rows("count", "count", (
            "number of|how many|count of|the number of|no . of|no of|# of|numbers of|counts of|quantity of|amount of times|"
            "how many times|total number of|number of times|count|counts|counting|number of all|overall number of|total count of|"
            "total counts of|volume of|frequency of"
        )),
    **_rows("distinct", "distinct", "distinct|unique|different|distinct list of|distinct number of|number of distinct|number of unique|unique list of"),
    **_rows("super", "desc", (
            "highest|largest|biggest|most|greatest|best|strongest|richest|priciest|most expensive|costliest|longest|tallest|heaviest|"
            "fastest|busiest|farthest|deepest|most popular|most common|most frequent|most frequently|largest number of|"
            "highest number of|most number of|greatest number of|top performing|best performing|best selling|hottest|widest|maximal|"
            "most often|max number of|maximum number of|biggest number of|the most|furthest|most valuable|highest count of|most sold|"
            "most bought|most active|bestselling|largest amount of|highest amount of|best rated|highest rated|most profitable|"
            "top rated"
        )),
    **_rows("super", "asc", (
            "lowest|least|fewest|smallest|worst|weakest|cheapest|shortest|slowest|lightest|poorest|lowest number of|"
            "smallest number of|fewest number of|least number of|least expensive|least popular|least common|least frequent|"
            "worst performing|minimal|least often|least sold|least bought|min number of|minimum number of|worst selling|least active|lowest rated|worst rated"
        )),
    **_rows("super", "latest", "latest|newest|most recent|most recently|youngest|last"),
    **_rows("super", "earliest", "earliest|oldest|first"),
    **_rows("top", "desc", "top|leading|topmost"),
    **_rows("top", "asc", "bottom"),
    **_rows("by", "by", (
            "by|per|in terms of|grouped by|group by|broken down by|split by|split out by|break down by|broken out by|segmented by|"
            "segment by|breakdown by|split up by|aggregated by|grouped on|organized by|partitioned by|separated by|categorized by|"
            "for the different|for different|across different|across all|across|by each|by every|as per|according to|vary by|"
            "varies by|differ by|differs by|vary across|varies across|differ across|differs across|differ between|vary between|"
            "differ for|depending on|with respect to|and by|and per|cut by|sliced by|by the|per each|per the|split across|"
            "grouped per|varies between|within the same"
        )),
    **_rows("each", "each", (
            "for each|in each|of each|each|for every|in every|every|within each|at each|to each|by each|from each|for each of the|"
            "on each|for all the different|in each of|for each one of|with each|of every|each of the|for each individual|for each of|"
            "each of|per each"
        )),
    **_rows("cmp", ">=", (
            "at least|no less than|no fewer than|not less than|greater than or equal to|more than or equal to|>=|a minimum of|"
            "not below|or equal to|from at least|equal or above|not lower than|higher than or equal to|not fewer than|"
            "greater or equal to|above or equal to"
        )),
    **_rows("cmp", "<=", (
            "at most|no more than|not more than|less than or equal to|up to|<=|a maximum of|not exceeding|not above|no greater than|"
            "not over|within|fewer than or equal to|lower than or equal to|less or equal to"
        )),
    **_rows("cmp", ">", (
            "more than|greater than|over|above|exceeding|exceeds|exceed|exceeded|higher than|larger than|bigger than|>|longer than|"
            "older than|taller than|better than|in excess of|beyond|upwards of|heavier than|faster than|that exceed|superior to"
        )),
    **_rows("cmp", "<", (
            "less than|fewer than|under|below|lower than|smaller than|<|shorter than|younger than|cheaper than|worse than|"
            "lighter than|slower than|underneath|newer than"
        )),
    **_rows("cmp", "=", "exactly|equal to|equals|=|==|equal|precisely|exactly equal to|is equal to|of exactly"),
    **_rows("cmp", "!=", "!=|<>|not equal to|different from|differs from|not equal"),
    **_rows("between", "between", "between|ranging from|in the range of|in the range"),
    **_rows("postcmp", ">=", (
            "or more|or higher|or above|or greater|or over|and above|and over|or better|and up|+|and more|or larger|or longer|"
            "or older"
        )),
    **_rows("postcmp", "<=", "or less|or fewer|or lower|or below|or under|and below|or smaller|or shorter|or younger"),
    **_rows("neg", "not", (
            "not|no|non|non -|never|nobody|no one|without|excluding|except|except for|other than|excludes|exclude|excluded|neither|nor|none|without any|"
            "not any|have not|has not|do not|does not|do not have|does not have|did not|didn't|have no|has no|had no|no longer|"
            "are not|is not|not been|have never|has never|that have no|with no|cannot|apart from|besides|lacking|lack|ignoring|"
            "ignore|not in|not from|not at|leaving out|aside from|not including|have not had|haven't|hasn't|don't have any|"
            "excl|excl .|excl.|leave out|leaving off|omit|omitting|waiting to be|yet to be|still to be|awaiting|"
            "do not have any|does not have any|have not made any|not made any|did not have any|not a|not an|not the"
        )),
    **_rows("cycle", "holiday", (
            "on public holidays|on holidays|public holidays|on a public holiday|on bank holidays|bank holidays|public holiday|during public holidays|"
            "on national holidays|national holidays"
        )),
    **_rows("order", "by", (
            "ordered by|order by|sorted by|sort by|ranked by|arranged by|order the results by|sort the results by|order results by|"
            "sort results by|order them by|sort them by|ordered on|sorted on|in order of|order|ordered|sort|sorted|arrange by|"
            "sort in|ordered in|sorted in|order it by|listed by|arranged in|in the order of|sort the list by|sort the result by|"
            "order the result by|order the list by|ordered according to|arranged|sort this by|order the output by|sorted according to"
        )),
    **_rows("direction", "asc", (
            "ascending|asc|in ascending order|ascending order|in ascending order of|lowest first|smallest first|oldest first|"
            "earliest first|from lowest to highest|from low to high|from smallest to largest|from least to most|alphabetically|"
            "in alphabetical order|alphabetical order|chronologically|in chronological order|from lowest|from earliest to latest|"
            "from oldest to newest|worst first|weakest first|from fewest to most|low to high|lowest to highest|from a to z|increasing|in increasing order|"
            "a to z|shortest to longest|from shortest to longest|alphabetical|in order from lowest to highest|smallest to largest|"
            "from cheapest to most expensive|from the lowest to the highest|lowest to the highest"
        )),
    **_rows("direction", "desc", (
            "descending|desc|in descending order|descending order|in descending order of|highest first|largest first|"
            "most recent first|newest first|latest first|from highest to lowest|from high to low|from largest to smallest|"
            "from most to least|most first|starting from the top|starting from the highest|starting with the highest|high to low|"
            "highest to lowest|from newest to oldest|from latest to earliest|biggest first|from the highest to the lowest|decreasing|"
            "in decreasing order|in reverse order|from most to fewest|from best to worst|reverse chronological order|"
            "in reverse chronological order|best first|strongest first|most to least|largest to smallest|longest to shortest|from longest to shortest|"
            "most expensive first|starting from the most|starting with the most|top to bottom|from top to bottom|the highest first|"
            "from the most to the least"
        )),
    **_rows("output", "return", (
            "return|show|list|xy|give|display|provide|showing|output|report|tell|fetch|get|retrieve|present|listing|give me|show me|"
            "tell me|list out|list all|represent|get me|provide me|can you show|i want to see|i want|i need|i would like|"
            "please return|calculate|compute|find|please show|please list|also return|also show|also calculate|also give|also list|"
            "also include|return only|return also|along with|together with|as well as|including|include|i want to know|"
            "could you show|i would like to see|print|select|bring up|pull|pull up|let me see|we want|please provide|please give|"
            "with their|and their|also report|identify|determine|enumerate"
        )),
    **_rows("wh", "what", (
            "what is|what are|what was|what were|what|whats|what's|which|which are|which is|how|how do|what do|what does|how does|"
            "how did|how is|how are|how was|how were|can you|could you|do we|do you|is there|are there|were there|was there|"
            "what will|have there been"
        )),
    **_rows("wh", "who", "who|who are|who is|who were|who was|whom"),
    **_rows("wh", "when", "when|when was|when did|when is|when were|on what date|what date|on which date|which date|at what time"),
    **_rows("wh", "where", "where is|where are|where did"),
    **_rows("wh", "why", "why|why did|why is|why was|why are|why has"),
    **_rows("duration", "duration", (
            "how long|duration between|time between|time difference between|difference in days between|days between|"
            "number of days between|time taken|time from|duration from|days from|number of days from|interval between|days since|"
            "number of months between|months between|hours between|number of hours between|weeks between|minutes between|"
            "number of minutes between|years between|number of years between|amount of time between|number of weeks between|"
            "length of time between|gap between|time elapsed between|days it takes from|time it takes from|"
            "difference between their time from|elapsed time between|time to|days to|hours to|weeks to|"
            "delay between|lag between|wait between|days until|number of days until|time until|hours until|number of hours until"
        )),
    **_rows("transform", "share", (
            "in %|in percent|as %|as a percentage|as percentage|as percent|in percentage|in percentages|percentage wise|"
            "share of total|percentage of total|percent of total|percentage of the total|proportion of total|proportion of the total|"
            "share of the total|contribution to|contribution of|contribution|percent of the total|% of total|"
            "as a percentage of total|as a share of total|as a percentage of the total|as percent of total|pct of total|share|"
            "% share|percentage share|percent share|market share"
        )),
    **_rows("transform", "running", (
            "running total|running total of|cumulative|cumulative total|cumulative sum|cumulatively|running sum|accumulated|"
            "running sum of|cumulative sum of|running totals"
        )),
    **_rows("transform", "moving", "moving average|rolling average|moving average of|rolling average of|rolling mean"),
    **_rows("transform", "rank", "rank|ranking|ranks"),
    **_rows("change", "mom", (
            "mom change|month over month change|month over month growth|mom growth|mom|month over month|month - over - month change|"
            "month - over - month|month - over - month growth|monthly change|monthly growth|monthly growth rate|month on month|"
            "month on month change|mom % change|mom percentage change|month to month change"
        )),
    **_rows("change", "yoy", (
            "yoy change|year over year change|year over year growth|yoy growth|yoy|year over year|year - over - year|"
            "year - over - year growth|year - over - year change|annual growth|annual growth rate|year on year|year on year growth|"
            "yoy % change"
        )),
    **_rows("change", "wow", (
            "wow change|week over week change|week over week growth|wow growth|wow|week over week|week - over - week|"
            "week - over - week change|week on week"
        )),
    **_rows("change", "qoq", (
            "qoq change|quarter over quarter|quarter over quarter growth|qoq|quarter - over - quarter|quarter over quarter change|"
            "quarter on quarter|qoq growth"
        )),
    **_rows("change", "dod", "day over day|day over day change|dod|daily change|daily growth"),
    **_rows("change", "any", (
            "growth|growth rate|growth rate of|growth of|growth in|change in|percentage change in|percent change in|"
            "percentage change|% change|change|increase in|decrease in|trend in change"
        )),
    **_rows("moved", "up", (
            "grew|grown|has grown|have grown|increased|has increased|have increased|rose|has risen|have risen|went up|gone up|climbed|improved|jumped|"
            "growing|rising|increasing|climbing|improving|going up|go up|"
            "trending up|trending upwards|is trending up|are trending up|on the rise|are growing|is growing|is rising|are rising|is increasing|are increasing"
        )),
    **_rows("moved", "down", (
            "fell|fallen|has fallen|have fallen|dropped|has dropped|have dropped|declined|has declined|have declined|decreased|has decreased|have decreased|went down|"
            "trending down|trending downwards|is trending down|are trending down|on the decline|"
            "gone down|shrank|shrunk|lost ground|falling|declining|shrinking|dropping|decreasing|going down|go down|is falling|are falling|is declining|are declining"
        )),
    **_rows("moved", "any", (
            "up or down|going up or down|up or is it down|rising or falling|growing or shrinking|increasing or decreasing|better or worse|"
            "changed|has changed|have changed"
        )),
    **_rows("moved_most", "up", (
            "fastest growing|fastest - growing|strongest growing|fastest rising|most improved|gained the most|gained most|added the most|"
            "biggest increase in|largest increase in|highest increase in|biggest rise in|biggest growth in|largest growth in|highest growth in|"
            "strongest growth in|fastest growth in|biggest gain in|largest gain in|biggest jump in|largest jump in|biggest improvement in|"
            "most growth in|grew fastest|grew the fastest|grown fastest|grown the fastest|growing fastest|growing the fastest|increased fastest"
        )),
    **_rows("moved_most", "down", (
            "fastest falling|fastest declining|fastest - declining|fastest shrinking|lost the most|lost most|losing the most|losing most|"
            "biggest drop in|largest drop in|steepest drop in|sharpest drop in|biggest decrease in|largest decrease in|biggest decline in|"
            "largest decline in|steepest decline in|sharpest decline in|biggest fall in|largest fall in|biggest loss in|biggest loss of|"
            "slowest growing|slowest - growing|least growing|grew slowest|grew the slowest|grew the least|growing slowest|growing the slowest|"
            "fell fastest|fell the fastest|declined fastest|dropped fastest|shrank fastest"
        )),
    **_rows("compare", "vs", (
            "vs|versus|compared to|compared with|relative to|vs .|against|in comparison to|in comparison with|compare|comparing|"
            "compared|comparison of|comparison|difference between|the difference between"
        )),
    **_rows("compare", "same_period", (
            "same period last year|the same period last year|the year before|a year earlier|a year ago|the previous year|"
            "same time last year|the same time last year|same month last year|same quarter last year|prior year|year before|"
            "one year earlier|same week last year|the prior year"
        )),
    **_rows("compare", "previous", (
            "previous period|the previous period|prior period|the prior period|the period before|the month before|the week before|"
            "the quarter before|the previous one"
        )),
    **_rows("ratio", "ratio", "ratio of|ratio between|the ratio of|the ratio between|ratio"),
    **_rows("share", "share", (
            "percentage of|percent of|proportion of|share of|fraction of|% of|what percentage of|what percent of|what proportion of|"
            "what share of|what fraction of|portion of|the percentage of|the proportion of|percentage|proportion|pct of"
        )),
    **_rows("op", "/", "divided by|over the number of|divide by|as a fraction of|/"),
    **_rows("op", "%", "as a percentage of|as percentage of|as a share of|as a percent of|as percent of|in percent of|as % of|as a % of|as a proportion of"),
    **_rows("op", "*", "multiplied by|times"),
    **_rows("op", "-", "minus|less the|net of|subtracting|subtracted by"),
    **_rows("op", "+", "plus"),
    **_rows("grain", "day", (
            "daily|by day|per day|each day|every day|day by day|by date|per date|by the day|in each day|for each day|on each day|"
            "on a daily basis|day - by - day|for every day|of each day"
        )),
    **_rows("grain", "week", (
            "weekly|by week|per week|each week|every week|week by week|in each week|for each week|on a weekly basis|by calendar week|"
            "for every week|by iso week"
        )),
    **_rows("grain", "month", (
            "monthly|by month|per month|each month|every month|month by month|in each month|for each month|on a monthly basis|"
            "for every month|by calendar month|of each month|by the month|across months|over the months"
        )),
    **_rows("grain", "quarter", (
            "quarterly|by quarter|per quarter|each quarter|every quarter|quarter by quarter|in each quarter|for each quarter|"
            "on a quarterly basis|for every quarter|by calendar quarter"
        )),
    **_rows("grain", "year", (
            "yearly|annually|annual|by year|per year|each year|every year|year by year|in each year|for each year|per annum|"
            "on a yearly basis|for every year|over the years|across years|by calendar year"
        )),
    **_rows("grain", "hour", "hourly|by hour|per hour|each hour|every hour|hour by hour|in each hour|for each hour"),
    **_rows("grain", "auto", (
            "over time|trend of|trend in|trend|trends|time series of|trend for|time series|trended|evolution of|development of|"
            "evolve over time|history of|trend over time|trending|evolving|evolved|developing|developed over time"
        )),
    **_rows("cycle", "day_of_week", (
            "day of week|day of the week|weekday|by weekday|days of the week|each day of the week|for each day of the week|"
            "by day of week|by day of the week|per weekday|per day of the week|which day of the week|which weekday"
        )),
    **_rows("cycle", "hour_of_day", "hour of day|hour of the day|by hour of day|by hour of the day|time of day|by time of day"),
    **_rows("cycle", "month_of_year", "month of year|month of the year|by month of year|calendar month of the year|by month of the year|regardless of year"),
    **_rows("cycle", "weekend", (
            "on weekends|on the weekend|on weekend|weekends|weekend|over weekends|over the weekend|during weekends|"
            "during the weekend|at weekends|at the weekend|on weekend days|happened on weekends|on saturdays and sundays|"
            "on saturday or sunday"
        )),
    **{key: func for day in WEEKDAYS for key, func in _rows("cycle", day, f"{day}s|on {day}s|every {day}|on every {day}|each {day}").items()},
    **_rows("cycle", "weekday", "on weekdays|weekdays|during weekdays|during the week|on working days|on business days|on week days"),
    **_rows("both", "both", "both"),
    **_rows("and", "and", "and|&|and also|and the|plus the|and then"),
    **_rows("or", "or", "or|either|and / or|and/or"),
    **_rows("comma", ",", ",|;|:"),
    **_rows("relative", "that", (
            "that|who|which|whose|where|with|having|that have|who have|which have|that has|who has|with a|with an|having a|having an|"
            "that had|who had|that are|who are|that is|who is|which are|which is|with the|that were|who were|which were|when the|if|"
            "having had|that do|who do|that was|who was|that would|whom|where the|that belong to|that contain|containing the|"
            "provided that|given that|for which|in which|on which|to which|from which|where there is|where there are"
        )),
    **_rows("pronoun", "their", "their|its|his|her|they|those|these|them|it|he|she|he she|his her|theirs|hers"),
    **_rows("null", "null", (
            "missing|null|is missing|is null|are missing|are null|empty|is empty|blank|is blank|unknown|not set|unset|undefined|"
            "is unknown|not specified|not available|unspecified|not recorded|not given"
        )),
    **_rows("contains", "contains", (
            "contains|containing|contain|includes the word|include the word|including the word|that contains|which contains|"
            "that contain|with the word|matching|like|similar to|mentions|mentioning|mention|include the text|contains the word|"
            "contains the text|containing the word|with the text|has the word|have the word|that include the word"
        )),
    **_rows("contains", "starts", (
            "starts with|start with|starting with|beginning with|begins with|begin with|that starts with|that start with|"
            "whose name starts with|prefixed with|prefixed by|starts with the letter|start with the letter|begins with the letter|"
            "starting with the letter"
        )),
    **_rows("contains", "ends", (
            "ends with|end with|ending with|ends in|ending in|end in|that end with|that ends with|ending with the letter|"
            "ends with the letter|end with the letter|suffixed with|suffixed by"
        )),
    **_rows("define", "define", (
            "refers to|refer to|is defined as|defined as|means|is calculated as|calculated as|is the sum of|which is the sum of|"
            "which is|is computed as|computed as|stands for|denotes|which is calculated as|which is defined as"
        )),
    **_rows("define", "basis", "based on|based upon|on the basis of|going by"),
    **_rows("define", "considered", "are considered|is considered|are considered to be|is considered to be|count as|counts as|are counted as"),
    **_rows("round", "round", (
            "rounded to|round to|rounded|rounded off to|to two decimal places|to 2 decimal places|round the result to|round it to|"
            "round the answer to"
        )),
    **_rows("versus_avg", "avg", (
            "above average|above the average|greater than the average|higher than the average|more than the average|over the average|"
            "above the mean|larger than the average|better than average|greater than average|higher than average|exceeds the average|"
            "above - average|longer than the average|longer than average|more than average|exceeding the average|"
            "more than the overall average|above the overall average"
        )),
    **_rows("versus_avg", "avg<", (
            "below average|below the average|less than the average|lower than the average|under the average|below the mean|"
            "smaller than the average|fewer than the average|lower than average|less than average|shorter than average|"
            "worse than average|below - average|under average"
        )),
    **_rows("of", "of", "of"),
    **_rows("prep", "in", (
            "because of|due to|owing to|thanks to|out of all|out of all the|out of the total|in|on|at|for|from|to|into|during|within|"
            "of the|for the|in the|from the|on the|at the|to the|within the|among|amongst|through|via|over the|under the|inside|"
            "between the|about|regarding|around|toward|towards|off|as|onto|upon|throughout|in all|for all|of all|out of|of all the|"
            "for all the|across the|in any|of any|for any|for this|as a|for a|for an|in a|in an|by a|by an|of a|of an|from a|from an|"
            "to a|to an|on a|on an|at a|at an|but|out|along"
        )),
    **_rows("have", "have", (
            "have|has|had|do|does|did|is|are|was|were|be|been|being|will|would|can|could|should|may|might|must|shall|there|there is|"
            "there are|there were|have been|has been|had been|having been|were there|are there|is there|was there|have had|has had|"
            "got"
        )),
    **_rows("op", "=", "equals to"),
    **_rows("open", "(", "(|[|{"),
    **_rows("close", ")", ")|]|}"),
}  # fmt: skip
