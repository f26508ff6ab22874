"""The words of the bundled sample, as tables of "english=한국어"."""

from dataclasses import dataclass
from typing import NamedTuple

from tasks.samples.translation.korean import Predicate


class Word(NamedTuple):
    en: str
    ko: str


def words(line: str) -> list[Word]:
    return [Word(*entry.strip().split("=")) for entry in line.split(",")]


# --- people ----------------------------------------------------------------------------------------------------------

HE = words("Minsu=민수, Jihun=지훈, Tom=톰, David=데이비드")
SHE = words("Yuna=유나, Sujin=수진, Jane=제인, Emily=에밀리")
KOREAN_NAMES = {"Minsu", "Jihun", "Yuna", "Sujin"}
# With "my"; one says 제 남동생 politely and 내 남동생 among friends.
RELATIVES = {"he": words("little brother=남동생"), "she": words("little sister=여동생")}
# Verbs of whom take the honorific -(으)시-.
ELDERS = words("grandmother=할머니, grandfather=할아버지")
JOBS = words(
    "doctor=의사, nurse=간호사, student=학생, singer=가수, lawyer=변호사, police officer=경찰관, reporter=기자"
)
VISITORS = words("student=학생, child=아이, tourist=관광객")

# --- things ----------------------------------------------------------------------------------------------------------

ANIMALS = words("cat=고양이, dog=개, bird=새, rabbit=토끼, horse=말, pig=돼지")
# The counter that a thing is counted with.
COUNTERS = {
    "개": words("apple=사과, pear=배, hat=모자, umbrella=우산, bag=가방, chair=의자, box=상자"),
    "권": words("book=책, dictionary=사전"),
    "장": words("ticket=표, shirt=셔츠"),
    "대": words("bicycle=자전거, computer=컴퓨터, camera=카메라"),
    "송이": words("flower=꽃"),
    "잔": words("cup of coffee=커피, cup of tea=차, glass of water=물, glass of milk=우유, glass of juice=주스"),
    "병": words("bottle of water=물, bottle of juice=주스, bottle of wine=와인"),
}
# What one piece costs, in won.  The sums are few enough that each group of three digits is a frequent word.
PRICES = [
    (range(1_000, 4_000, 500), words("apple=사과, pear=배, flower=꽃")),
    (range(8_000, 32_000, 500), words("hat=모자, umbrella=우산, book=책, dictionary=사전, shirt=셔츠")),
    ((45_000, 60_000, 75_000, 90_000), words("bag=가방, chair=의자")),
    ((200_000, 300_000, 500_000, 800_000), words("computer=컴퓨터, camera=카메라, bicycle=자전거")),
]

# --- places ----------------------------------------------------------------------------------------------------------

CITIES = words("Seoul=서울, Busan=부산, Gyeongju=경주, London=런던, Paris=파리, Tokyo=도쿄")
AT = words(
    "the library=도서관, the station=역, the market=시장, the hospital=병원, the museum=박물관, "
    "the restaurant=식당, the hotel=호텔, the café=카페, the theater=극장, the office=사무실, the beach=바닷가, "
    "the bank=은행, the bookstore=서점"
)
IN = words("the park=공원, the kitchen=부엌")
PLACES = {place.en.removeprefix("the "): place for place in AT + IN}
LINES = words("bus=버스, train=기차, subway=지하철, taxi=택시, car=자동차, bicycle=자전거, plane=비행기")

# --- time ------------------------------------------------------------------------------------------------------------

MONTHS = words(
    "January=1월, February=2월, March=3월, April=4월, May=5월, June=6월, July=7월, August=8월, September=9월, "
    "October=10월, November=11월, December=12월"
)
DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
WEEKDAYS = words(
    "Monday=월요일, Tuesday=화요일, Wednesday=수요일, Thursday=목요일, Friday=금요일, Saturday=토요일, Sunday=일요일"
)
SEASONS = words("spring=봄, summer=여름, fall=가을, winter=겨울")
PAST_TIMES = words("yesterday=어제, last week=지난주에, this morning=오늘 아침에, last night=어젯밤에")
HABITS = words("every day=매일, every morning=매일 아침, on weekends=주말에, in the evening=저녁에")
FREQUENCIES = words("often=자주, always=항상, sometimes=가끔, usually=보통")  # before the verb in English
FUTURE_TIMES = words("tomorrow=내일, next week=다음 주에, tonight=오늘 밤에, this weekend=이번 주말에")
EVENTS = words("concert=콘서트, exam=시험, meeting=회의, festival=축제, game=경기")

# --- verbs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verb:
    """A verb with the objects and the places that go with it; those without an object have the empty one."""

    en: str
    ko: Predicate
    objects: tuple[Word, ...]
    places: tuple[Word, ...]


def predicate(text: str, *, adjective: bool = False) -> Predicate:
    """Of "stem", "stem irregular" or "stem irregular suppletive" with "-" for none; "_" is a space in the stem."""
    stem, irregular, suppletive = (text.split() + ["-", "-"])[:3]
    return Predicate(stem.replace("_", " "), irregular.strip("-"), adjective, suppletive.strip("-"))


HOME = Word("home", "집")

# verb | stem | objects | places
VERB_TABLE = """
eat | 먹 - 드시 | bread=빵, meat=고기, fruit=과일, soup=수프, noodles=국수, kimchi=김치 | restaurant, hotel, home
drink | 마시 - 드시 | coffee=커피, tea=차, milk=우유, juice=주스 | café, restaurant, office, home
read | 읽 | a book=책, a novel=소설, the newspaper=신문 | library, café, park, home
write | 쓰 | a letter=편지, a report=보고서 | library, office, café, home
watch | 보 | a movie=영화 | theater, home
watch | 보 | television=텔레비전, the news=뉴스 | hotel, home
buy | 사 | fruit=과일, flowers=꽃, a present=선물, a hat=모자, an umbrella=우산, a bag=가방 | market, station
buy | 사 | a ticket=표 | station, theater, museum
buy | 사 | a book=책, a novel=소설, a dictionary=사전 | bookstore
meet | 만나 | a friend=친구, a lawyer=변호사, a reporter=기자, a doctor=의사 | station, café, park, office
listen to | 듣 ㄷ | music=음악, the radio=라디오, the news=뉴스 | café, park, office, home
study | 공부하 | Korean=한국어, English=영어, history=역사, math=수학 | library, café, office, home
make | 만들 | a cake=케이크, bread=빵, soup=수프, kimchi=김치, noodles=국수 | kitchen, restaurant, home
sing | 부르 르 | songs=노래 | park, theater, home
wait for | 기다리 | the bus=버스, the train=기차, a friend=친구, a taxi=택시 | station, hotel, hospital
help | 돕 ㅂ | a friend=친구, a child=아이, a tourist=관광객 | station, hospital, hotel
take | 찍 | photos=사진 | park, museum, beach, station
clean | 청소하 | the room=방, the kitchen=부엌, the office=사무실 |
walk | 걷 ㄷ | | park, beach
work | 일하 | | hospital, bank, hotel, restaurant, office
swim | 수영하 | | beach, hotel
"""


def read_verbs(table: str) -> list[Verb]:
    places = PLACES | {"home": HOME}
    verbs = []
    for line in table.strip().splitlines():
        en, ko, objects, where = (cell.strip() for cell in line.split("|"))
        verbs.append(
            Verb(
                en,
                predicate(ko),
                tuple(words(objects)) if objects else (),
                tuple(places[name.strip()] for name in where.split(",")) if where else (),
            )
        )
    return verbs


VERBS = read_verbs(VERB_TABLE)

# What one asks of somebody, or asks leave for.
FAVOR_TABLE = """
open | 열 | the window=창문, the door=문, the box=상자, the bag=가방
close | 닫 | the window=창문, the door=문, the box=상자, the bag=가방
turn on | 켜 | the light=불, the computer=컴퓨터, the television=텔레비전, the radio=라디오
turn off | 끄 | the light=불, the computer=컴퓨터, the television=텔레비전, the radio=라디오
press | 누르 르 | the button=버튼
read | 읽 | the letter=편지, the report=보고서, the newspaper=신문, the book=책
bring | 가져오 | the camera=카메라, the chair=의자, the dictionary=사전, the umbrella=우산
wash | 씻 | the apple=사과, the pear=배, the cup=컵, the fruit=과일
cut | 자르 르 | the bread=빵, the cake=케이크, the apple=사과, the pear=배
clean | 청소하 | the room=방, the kitchen=부엌, the office=사무실
"""
FAVORS = read_verbs("\n".join(line + " | " for line in FAVOR_TABLE.strip().splitlines()))

# --- adjectives ------------------------------------------------------------------------------------------------------


class Adjective(NamedTuple):
    en: str
    ko: Predicate


def adjectives(line: str) -> list[Adjective]:
    pairs = (entry.strip().split("=") for entry in line.split(","))
    return [Adjective(en, predicate(ko, adjective=True)) for en, ko in pairs]


# Things, and what can be said of them.
QUALITIES = [
    (
        words("soup=수프, cake=케이크, bread=빵, apple=사과, pear=배"),
        adjectives("delicious=맛있, sweet=달, cheap=싸, expensive=비싸"),
    ),
    (
        words("hat=모자, bag=가방, umbrella=우산, shirt=셔츠, chair=의자"),
        adjectives("pretty=예쁘, cheap=싸, expensive=비싸, light=가볍 ㅂ, heavy=무겁 ㅂ, small=작, big=크"),
    ),
    (
        words("book=책, novel=소설, movie=영화, report=보고서"),
        adjectives("interesting=재미있, boring=지루하, easy=쉽 ㅂ, difficult=어렵 ㅂ, long=길, short=짧"),
    ),
    (
        words("room=방, kitchen=부엌, office=사무실, hotel=호텔, café=카페, library=도서관"),
        adjectives("clean=깨끗하, dirty=더럽 ㅂ, quiet=조용하, noisy=시끄럽 ㅂ, warm=따뜻하, big=크, small=작"),
    ),
]
COLORS = adjectives("red=빨갛 ㅎ, blue=파랗 ㅎ, white=하얗 ㅎ, black=까맣 ㅎ")
MOODS = adjectives("tired=피곤하, busy=바쁘, sick=아프, happy=행복하, hungry=배가_고프, kind=친절하")
DEGREES = words("very=아주, really=정말, a little=조금, too=너무")
# What one says too much of; a little, also of the others.
TOO = {"expensive", "heavy", "big", "small", "long", "short", "difficult", "noisy", "dirty", "sweet", "cold", "hot"}
A_LITTLE = TOO | {"tired", "busy", "sick", "hungry", "boring", "warm", "cool"}
# Things, and how they can be compared.  What is faster stands further to the right.
RIVALS = [
    (
        words("the bicycle=자전거, the bus=버스, the taxi=택시, the car=자동차, the subway=지하철, the train=기차"),
        adjectives("fast=빠르 르, slow=느리"),
    ),
    (
        words("the cat=고양이, the dog=개, the rabbit=토끼, the horse=말, the pig=돼지, the bird=새"),
        adjectives("pretty=예쁘, quiet=조용하"),
    ),
    (
        words("the hat=모자, the bag=가방, the umbrella=우산, the chair=의자, the camera=카메라"),
        adjectives("cheap=싸, expensive=비싸, heavy=무겁 ㅂ, pretty=예쁘"),
    ),
    (
        words("Korean=한국어, English=영어, history=역사, math=수학"),
        adjectives("easy=쉽 ㅂ, difficult=어렵 ㅂ, interesting=재미있"),
    ),
    (
        words("the bank=은행, the station=역, the market=시장, the park=공원, the museum=박물관, the beach=바닷가"),
        adjectives("close=가깝 ㅂ, far=멀, quiet=조용하"),
    ),
]
