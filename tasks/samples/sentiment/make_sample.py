"""Write the bundled sample of the sentiment task: a small grammar of reviews.

The grammar makes short English and Korean reviews in which the *order* of the
words decides the label: negation and its scope, contrast, concession, hearsay,
expectation against outcome.  It shows what a recurrent network reads and a bag
of words cannot, so every draw yields a *mirrored pair*: two reviews of the same
aspects and the same polarity words, one positive and one negative.  There are
three kinds of pair:

* contrast: two clauses about two aspects, of which one carries the verdict and
  the other is outweighed.  The mirror exchanges their roles.
* antonym: two opposite words about one aspect, of which one holds and the other
  was expected, rumoured or denied.  The mirror exchanges their roles.
* denial: one statement, affirmed in one review and denied in the other.

``python -m tasks.samples.sentiment.make_sample`` writes ``train.csv``,
``validation.csv`` and ``test.csv`` beside this file, byte-identical at each run.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tasks.samples.tables import write_splits

SEED = 20240501
# Rows of each split: half English and half Korean, half positive and half negative.
SIZES = {"train": 4000, "validation": 500, "test": 1000}
LABELS = ("positive", "negative")

# How often each kind of pair is drawn, and how often a contrast clause is negated.
# "Was not dull" is as likely to be outweighed as to win, so that neighbouring
# words tell little about the label either.
KINDS = {"contrast": 0.35, "antonym": 0.3, "denial": 0.35}
NEGATED_CLAUSES = 0.3
REMARK_LIMIT = 70  # a text longer than this gets no remark, to keep reviews short

# Each line: domain | aspect: good/bad good/bad | aspect: good/bad good/bad.  The two
# words around a slash are opposites, so that they can meet in an antonym pair.
ENGLISH_ASPECTS = """
film | the plot: gripping/dull clever/silly | the acting: superb/awful convincing/clumsy
film | the music: beautiful/annoying lively/dull | the ending: satisfying/disappointing moving/silly
book | the story: gripping/dull original/stale | the writing: elegant/clumsy lively/dull
book | the dialogue: convincing/clumsy original/stale | the last chapter: gripping/dull moving/silly
restaurant | the soup: tasty/bland superb/awful | the bread: fresh/stale tasty/bland
restaurant | the service: friendly/rude prompt/slow | the dining room: cosy/dreary clean/dirty
hotel | the room: comfortable/dreary clean/dirty | the breakfast: fresh/stale satisfying/disappointing
hotel | the front desk: friendly/rude prompt/slow | the lobby: elegant/ugly cosy/dreary
earphones | the sound: excellent/terrible beautiful/annoying | the case: sturdy/flimsy elegant/ugly
earphones | the cable: sturdy/flimsy reliable/faulty | the microphone: reliable/faulty superb/awful
"""

KOREAN_ASPECTS = """
film | 줄거리: 흥미진진하/지루하 재미있/재미없 | 연기: 훌륭하/형편없 자연스럽/어색하
film | 음악: 아름답/시끄럽 훌륭하/형편없 | 결말: 만족스럽/실망스럽 참신하/진부하
book | 이야기: 재미있/재미없 흥미진진하/지루하 | 문장: 자연스럽/어색하 아름답/조잡하
book | 번역: 자연스럽/어색하 훌륭하/형편없 | 구성: 탄탄하/엉성하 참신하/진부하
restaurant | 음식: 맛있/맛없 담백하/느끼하 | 국물: 담백하/느끼하 맛있/맛없
restaurant | 직원: 친절하/무례하 상냥하/무뚝뚝하 | 매장: 깨끗하/더럽 조용하/시끄럽
hotel | 객실: 조용하/시끄럽 깨끗하/더럽 | 침대: 편안하/불편하 깨끗하/더럽
hotel | 조식: 맛있/맛없 만족스럽/실망스럽 | 프런트 직원: 친절하/무례하 상냥하/무뚝뚝하
earphones | 음질: 훌륭하/형편없 만족스럽/실망스럽 | 착용감: 편안하/불편하 만족스럽/실망스럽
earphones | 마감: 깔끔하/조잡하 탄탄하/엉성하 | 디자인: 깔끔하/조잡하 참신하/진부하
"""

# Neutral sentences that open or close a review; "any" fits every domain.
ENGLISH_REMARKS = {
    "film": ["We watched this film on Sunday.", "I saw it with my sister."],
    "book": ["I read this book on the train.", "A colleague lent me the novel."],
    "restaurant": ["We had dinner here on Friday.", "There were four of us."],
    "hotel": ["We stayed for two nights.", "I was in town for a conference."],
    "earphones": ["I have used them for a month.", "I use them on the way to work."],
    "any": ["This is my first review.", "I paid for it myself."],
}
KOREAN_REMARKS = {
    "film": ["일요일에 본 영화[다/예요].", "동생과 함께 [봤다/봤어요]."],
    "book": ["기차에서 읽은 책[이다/이에요].", "도서관에서 빌려 [읽었다/읽었어요]."],
    "restaurant": ["금요일 저녁에 [다녀왔다/다녀왔어요].", "네 명이 예약하고 [갔다/갔어요]."],
    "hotel": ["이틀 동안 [묵었다/묵었어요].", "출장 때문에 [묵었다/묵었어요]."],
    "earphones": ["한 달째 쓰고 [있다/있어요].", "출근할 때 쓰는 이어폰[이다/이에요]."],
    "any": ["후기는 처음 [써 본다/써 봐요].", "[내/제] 돈으로 [계산했다/계산했어요]."],
}

# The frames.  {wa} {wp}: the aspect and predicate that win (they decide the label);
# {la} {lp}: the ones that lose.  The winner often comes first, so that "the last
# word wins" is no rule either.
ENGLISH_CONTRAST = [
    "{la} was {lp}, but {wa} was {wp}.",
    "{la} was {lp}, but {wa} was {wp}, and that is what counts.",
    "{la} was {lp}. In the end, however, {wa} was {wp}, and that decided it.",
    "{la} was {lp}, yet {wa} was {wp}, and I care more about that.",
    "although {la} was {lp}, {wa} was {wp}.",
    "what counts is that {wa} was {wp}, even though {la} was {lp}.",
    "to me it matters more that {wa} was {wp} than that {la} was {lp}.",
    "to me it matters less that {la} was {lp} than that {wa} was {wp}.",
]
ENGLISH_ANTONYM = [
    "I expected {wa} to be {lp}, but it was {wp}.",
    "I expected {wa} to be {lp}, and it turned out to be {wp}.",
    "{wa} turned out to be {wp}, although I had expected it to be {lp}.",
    "everyone told me that {wa} was {lp}, but I found it {wp}.",
    "I found {wa} {wp}, although everyone had told me that it was {lp}.",
    "{wa} was not {lp} but {wp}.",
    "{wa} was {wp}, not {lp}.",
    "instead of being {lp}, {wa} was {wp}.",
    "far from being {lp}, {wa} was {wp}.",
    "those who call {wa} {lp} are wrong, and those who call it {wp} are right.",
    "those who call {wa} {wp} are right, and those who call it {lp} are wrong.",
]
# In a denial <x|y> stands for x where {p} is affirmed and for y where it is denied.
ENGLISH_DENIAL = [
    "{a} was <|not >{p}.",
    "{a} was <truly {p}|not {p} at all>.",
    "{a} was <really|never> {p}.",
    "{a} was <nothing|anything> but {p}.",
    "{a} was <every bit|nowhere near> as {p} as they say.",
    "I would <|not >say that {a} was {p}.",
    "<anyone|no one> would call {a} {p}.",
    "nobody can <deny|claim> that {a} was {p}.",
    "it is <|not >true that {a} was {p}.",
    "I <|do not >agree with those who call {a} {p}.",
    "<not only was {a} {p}, but {b} was also {q}|{a} was not {p}, nor was {b} {q}>.",
]

# In the Korean templates "은(는)" stands for the particle that fits the word
# before it, and "[plain/polite]" for the ending of the review's speech level.
# Many frames leave winner and loser in the same form (하지만 rather than -지만),
# for otherwise the form of a predicate alone would give the label away.
KOREAN_CONTRAST = [
    "{la}은(는) {lp.past}지만 {wa}은(는) {wp.past}[다/어요].",
    "{la}은(는) {lp.past}[다/어요]. 하지만 {wa}은(는) {wp.past}[다/어요].",
    "{la}은(는) {lp.past}[다/어요]. 그러나 결국 {wa}은(는) {wp.past}[다/어요].",
    "{la}은(는) {lp.past}[다/어요]. 하지만 더 중요한 {wa}은(는) {wp.past}[다/어요].",
    "{wa}은(는) {wp.past}[다/어요]. 비록 {la}은(는) {lp.past}지만[/요].",
    "{wa}이(가) {wp.past}다는 점이 {la}이(가) {lp.past}다는 점보다 더 [중요하다/중요해요].",
    "{la}이(가) {lp.past}다는 점이 {wa}이(가) {wp.past}다는 점보다 덜 [중요하다/중요해요].",
]
KOREAN_ANTONYM = [
    "{wa}이(가) {lp.future} 줄 알았는데 {wp.past}[다/어요].",
    "{wa}은(는) {wp.past}[다/어요]. {lp.future} 줄 알았는데 [말이다/말이에요].",
    "{wa}이(가) {lp.future} 줄 알았는데 이렇게 {wp.future} 줄은 [몰랐다/몰랐어요].",
    "{wa}은(는) {lp.stem}기는커녕 {wp.past}[다/어요].",
    "{wa}은(는) {lp.stem}지 않고 {wp.past}[다/어요].",
    "{wa}은(는) {lp.stem}다는 평과 달리 {wp.past}[다/어요].",
    "{wa}은(는) {lp.past}다기보다 {wp.past}다고 해야 [맞다/맞아요].",
    "친구는 {wa}이(가) {lp.past}다고 했지만 [나는/저는] {wp.past}다고 [생각한다/생각해요].",
    "[나는/저는] {wa}이(가) {wp.past}다고 [생각한다/생각해요]. 친구는 {lp.past}다고 했지만[/요].",
    "{wa}이(가) {lp.past}다는 말은 틀렸고 {wp.past}다는 말은 [맞다/맞아요].",
    "{wa}이(가) {wp.past}다는 말은 맞고 {lp.past}다는 말은 [틀렸다/틀렸어요].",
]
KOREAN_DENIAL = [
    "{a}은(는) <{p.past}|{p.stem}지 않았>[다/어요].",
    "{a}은(는) <정말 {p.past}|전혀 {p.stem}지 않았>[다/어요].",
    "소문<대로|과 달리> {a}은(는) <{p.past}|{p.stem}지 않았>[다/어요].",
    "{a}은(는) {p.stem}다는 <평대로였|평과 달랐>[다/어요].",
    "{a}이(가) {p.past}다고 말할 수 <있|없>[다/어요].",
    "{a}이(가) {p.past}다고 <하지 않을|할> 수 [없다/없어요].",
    "{a}이(가) {p.past}다는 말에 <동의[한다/해요]|동의하지 [않는다/않아요]>.",
    "{a}이(가) {p.past}다는 말은 <사실[이다/이에요]|사실이 [아니다/아니에요]>.",
    "<{a}이(가) {p.past}을 뿐만 아니라 {b}도 {q.past}|{a}도 {p.stem}지 않았고 {b}도 {q.stem}지 않았>[다/어요].",
]


def english_negation(rng: random.Random, word: str, good: bool) -> str:
    """``word``, which is a good one or not, in the scope of a negation."""
    forms = "not {} at all", "never {}", "far from {}", "anything but {}"
    return rng.choice(forms).format(word)


def english_finish(text: str, level: int) -> str:
    """Capitalise the first letter of each sentence."""
    return re.sub(r"(^|\. )([a-z])", lambda m: m[1] + m[2].upper(), text)


HANGUL_BASE = ord("가")  # syllables follow in blocks of 28, one per final consonant
FINAL_B = 17  # index of the final consonant ㅂ
PARTICLES = {"은(는)": ("는", "은"), "이(가)": ("가", "이")}
# Adjectives that take the short negation 안 as readily as the long -지 않다.
SHORT_NEGATION = {
    "지루하", "어색하", "시끄럽", "재미있", "맛있", "느끼하", "친절하", "깨끗하", "더럽", "조용하", "불편하",
}  # fmt: skip


@dataclass(frozen=True)
class KoreanPredicate:
    """The forms of an adjective that the templates build on."""

    stem: str  # 지루하-, before -지, -기는커녕, -다는
    past: str  # 지루했-, before -다, -어요, -지만, -다고
    future: str  # 지루할, before 줄 알았는데


def final_consonant(syllable: str) -> int:
    """The index of the syllable's final consonant, 0 when it has none."""
    return (ord(syllable) - HANGUL_BASE) % 28


def korean_predicate(stem: str) -> KoreanPredicate:
    body, last = stem[:-1], stem[-1]
    if last == "하":
        return KoreanPredicate(stem, body + "했", body + "할")
    if final_consonant(last) == FINAL_B:  # ㅂ turns into 우: 아름답다, 아름다웠다
        body += chr(ord(last) - FINAL_B)
        return KoreanPredicate(stem, body + "웠", body + "울")
    return KoreanPredicate(stem, stem + ("았" if last == "않" else "었"), stem + "을")


def korean_negation(rng: random.Random, stem: str, good: bool) -> KoreanPredicate:
    forms = [stem + "지 않"] * 2
    if good and not stem.endswith("있"):
        forms.append(stem + "지 못하")  # laments a good quality; never negates a bad one
    if stem in SHORT_NEGATION:
        forms.append("안 " + stem)
    return korean_predicate(rng.choice(forms))


def korean_finish(text: str, level: int) -> str:
    """Put in the endings of the speech level and the particles that fit."""
    text = re.sub(r"\[([^/\]]*)/([^\]]*)\]", lambda m: m[1 + level], text)
    return re.sub(
        r"(.)(은\(는\)|이\(가\))",
        lambda m: m[1] + PARTICLES[m[2]][final_consonant(m[1]) > 0],
        text,
    )


def read_aspects(table: str) -> dict:
    """``{domain: [(aspect, [(good, bad), ...]), ...]}`` from the table of aspects."""
    domains = {}
    for line in table.strip().splitlines():
        domain, *entries = line.split(" | ")
        for entry in entries:
            aspect, words = entry.split(": ")
            pairs = [tuple(pair.split("/")) for pair in words.split()]
            domains.setdefault(domain, []).append((aspect, pairs))
    return domains


@dataclass(frozen=True)
class Language:
    domains: dict
    remarks: dict
    frames: dict  # the templates of each kind of pair
    predicate: Callable  # a word as the templates take it
    negation: Callable  # the same word, negated in one of several ways
    finish: Callable  # the last touch to a filled template


LANGUAGES = (
    Language(
        read_aspects(ENGLISH_ASPECTS),
        ENGLISH_REMARKS,
        {"contrast": ENGLISH_CONTRAST, "antonym": ENGLISH_ANTONYM, "denial": ENGLISH_DENIAL},
        str,
        english_negation,
        english_finish,
    ),
    Language(
        read_aspects(KOREAN_ASPECTS),
        KOREAN_REMARKS,
        {"contrast": KOREAN_CONTRAST, "antonym": KOREAN_ANTONYM, "denial": KOREAN_DENIAL},
        korean_predicate,
        korean_negation,
        korean_finish,
    ),
)


def draw_clause(rng: random.Random, language: Language, pairs: list, good: bool):
    """A predicate of the wanted polarity: a word that has it, or its negated opposite."""
    pair = rng.choice(pairs)
    if rng.random() < NEGATED_CLAUSES:
        return language.negation(rng, pair[good], not good)
    return language.predicate(pair[not good])


def draw_pair(rng: random.Random, language: Language, domain: str) -> tuple:
    """The bare texts of one mirrored pair: (positive, negative)."""
    (aspect, pairs), (other, other_pairs) = rng.sample(language.domains[domain], 2)
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    frame = rng.choice(language.frames[kind])
    if kind == "denial":
        bad = rng.randrange(2)  # denying bad words is what makes a review positive
        p = language.predicate(rng.choice(pairs)[bad])
        q = language.predicate(rng.choice(other_pairs)[bad])
        versions = [re.sub(r"<(.*?)\|(.*?)>", rf"\{i}", frame) for i in (1, 2)]
        texts = [version.format(a=aspect, p=p, b=other, q=q) for version in versions]
        return tuple(reversed(texts) if bad else texts)
    if kind == "antonym":
        good, bad = ((aspect, language.predicate(word)) for word in rng.choice(pairs))
    else:
        good = aspect, draw_clause(rng, language, pairs, True)
        bad = other, draw_clause(rng, language, other_pairs, False)
    return tuple(
        frame.format(wa=winner[0], wp=winner[1], la=loser[0], lp=loser[1])
        for winner, loser in ((good, bad), (bad, good))
    )


def make_splits(seed: int = SEED) -> dict:
    """``{split: [(text, label), ...]}``; no frame meets the same slots twice anywhere."""
    rng = random.Random(seed)
    seen = set()
    splits = {}
    for split, size in SIZES.items():
        rows = []
        for language in LANGUAGES:
            missing = size // len(LANGUAGES) // len(LABELS)
            while missing:
                domain = rng.choice(list(language.domains))
                texts = draw_pair(rng, language, domain)
                if seen.intersection(texts):
                    continue
                seen.update(texts)
                missing -= 1
                # Both reviews of a pair get the same remark and the same speech
                # level, so that neither tells anything about the label.
                remark = rng.choice(language.remarks[domain] + language.remarks["any"])
                dressing = rng.choice((remark + " {}", "{} " + remark, "{}"))
                if max(map(len, texts)) > REMARK_LIMIT:
                    dressing = "{}"
                level = rng.randrange(2)
                for text, label in zip(texts, LABELS, strict=True):
                    rows.append((language.finish(dressing.format(text), level), label))
        rng.shuffle(rows)
        splits[split] = rows
    return splits


def write(folder) -> None:
    """Write ``train.csv``, ``validation.csv`` and ``test.csv`` into the folder."""
    write_splits(Path(folder), ("text", "label"), make_splits())


if __name__ == "__main__":
    write(Path(__file__).parent)
