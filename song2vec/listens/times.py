"""Times as logs write them -> UTC: epoch numbers of any unit, ISO-8601 with or without zone, and the usual local forms."""

from __future__ import annotations

import polars as pl

from song2vec.core.errors import FormatError

UTC = pl.Datetime("us", "UTC")
_LOCAL_FORMS = (
    "%d/%m/%Y %H:%M:%S",  # day first wins a tie: a month-first log soon shows a day above 12
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d %b %Y %H:%M",
    "%d %b %Y, %H:%M",
    "%d %b %Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%a %b %d %H:%M:%S %Y",
)
# Epoch numbers between 1970 and 2286 in one unit lie below those of the next, so that the size gives the unit.
_LAST = 10**17  # microseconds: the year 5138
_EPOCH_UNITS = ((1e11, 1_000_000.0), (1e14, 1_000.0), (1e17, 1.0), (float("inf"), 0.001))


def parse_time(times: pl.Series, where: str) -> pl.Series:
    """The series as ``time``, datetime in UTC (microseconds); unreadable entries become null.

    Times without a zone are taken as UTC. Raises FormatError, naming the first bad line, when most are unreadable.
    """
    dtype = times.dtype
    if isinstance(dtype, pl.Datetime):
        parsed = times.dt.replace_time_zone("UTC") if dtype.time_zone is None else times.dt.convert_time_zone("UTC")
    elif dtype == pl.Date:
        parsed = times.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    elif dtype.is_numeric():
        parsed = _from_epoch(times)
    elif dtype == pl.String:
        parsed = _from_text(times.str.strip_chars())
    elif dtype == pl.Null:
        parsed = times
    else:
        raise FormatError(where, f"holds {dtype}; text, numbers or datetimes are allowed", field="time")
    parsed = parsed.cast(UTC).alias("time")
    given, read = len(times) - times.null_count(), len(times) - parsed.null_count()
    if read * 2 < given:
        line = int((times.is_not_null() & parsed.is_null()).arg_max() or 0)
        raise FormatError(where, f"row {line + 1} has {times[line]!r}; an epoch number or a date with time is allowed", field="time")
    return parsed


def _from_epoch(numbers: pl.Series) -> pl.Series:
    sample = numbers.drop_nulls().gather_every(max(1, len(numbers) // 10_000))
    typical = abs(float(sample.cast(pl.Float64).median() or 0.0))  # type: ignore[arg-type]
    factor = next((factor for limit, factor in _EPOCH_UNITS if typical < limit), 1.0)  # infinite or no number: unreadable below
    if numbers.dtype.is_integer() and factor >= 1:
        sane = numbers.cast(pl.Int64, strict=False)
        # a stray number of a finer unit would overflow and wrap round into some likely year
        fits = sane.is_between(-_LAST // int(factor), _LAST // int(factor))
        micros = (sane if fits.all() else pl.select(pl.when(fits).then(sane)).to_series()) * int(factor)
    else:
        micros = (numbers.cast(pl.Float64) * factor).round().cast(pl.Int64, strict=False)
    return micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _from_text(texts: pl.Series) -> pl.Series:
    """Each form in turn on a sample; the form that reads most of it reads all, ISO-8601 before the rest."""
    sample = texts.drop_nulls().filter(texts.drop_nulls() != "").head(10_000)
    if not len(sample):
        return pl.repeat(None, len(texts), dtype=UTC, eager=True)
    numbers = sample.cast(pl.Float64, strict=False)
    if numbers.null_count() * 2 < len(sample):
        return _from_epoch(texts.cast(pl.Float64, strict=False))
    iso = _iso(sample)
    counts = [len(iso) - iso.null_count()]
    if counts[0] < len(sample):
        # day-first against month-first shows only where a day is above 12, so the whole log is asked
        counts += [len(texts) - _local(texts, form).null_count() for form in _LOCAL_FORMS]
    best = counts.index(max(counts))
    return _iso(texts) if best == 0 else _local(texts, _LOCAL_FORMS[best - 1])


def _iso(texts: pl.Series) -> pl.Series:
    """ISO-8601 with ``T`` or a space, with or without fraction, ``Z`` or ``+01:00``; without a zone it is UTC."""
    clock, zone = r"(?<m>\d\d:\d\d)(?<s>:\d\d)?(?:[.,](?<f>\d{1,6})\d*)?", r"(?:Z|UTC|(?<zh>[+-]\d\d):?(?<zm>\d\d))"
    frame = texts.str.extract_groups(rf"^(?<d>\d{{4}}-\d\d-\d\d)[T ]{clock}\s*{zone}?$").struct.unnest()
    stamp = pl.concat_str("d", pl.lit(" "), "m", pl.col("s").fill_null(":00"))
    local = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    micros = pl.duration(microseconds=pl.col("f").str.pad_end(6, "0").cast(pl.Int64).fill_null(0))
    sign = pl.when(pl.col("zh").str.starts_with("-")).then(-1).otherwise(1)
    minutes = pl.col("zh").str.slice(1).cast(pl.Int64) * 60 + pl.col("zm").cast(pl.Int64)
    shift = pl.duration(minutes=(sign * minutes).fill_null(0))
    return frame.select((local + micros - shift).dt.replace_time_zone("UTC")).to_series()


def _local(texts: pl.Series, form: str) -> pl.Series:
    return texts.str.to_datetime(form, time_unit="us", strict=False).dt.replace_time_zone("UTC")
