"""Write the bundled sample of the character-generation task: a book of comic ballads.

A small grammar tells eight stories about the people and the beasts of one village.
Each ballad has a title in capitals and quatrains of two rhyming couplets in iambic
tetrameter, every second line indented.  Its third stanza is a refrain about the
people and things of the title, and the same refrain closes it.  Direct speech opens
and closes within its couplet and has a speaker.  Such a form is recognised at once in
what a model writes, whether or not the model's words make sense.

A story is a sequence of *slots*, two for each stanza, and a slot is a bank of couplets
any of which may stand there.  Whoever takes part in a ballad, its *cast*, is drawn
once, so the couplets of a ballad agree on names and pronouns.

``python -m tasks.samples.chargen.make_sample`` writes ``verse.txt`` beside this file,
byte-identical at each run.
"""

import random
import re
from dataclasses import dataclass
from pathlib import Path

SEED = 20240615
BALLADS_PER_STORY = 34
INDENT = " " * 4
REFRAIN_AFTER = 2  # stanzas before the refrain is sung for the first time
# How often to look for a couplet whose lines stand nowhere in the book yet, before
# one that repeats a line is taken.
PATIENCE = 30

# Nouns of two syllables, the first stressed, so that any of them fits any line.
MEN = (
    "miller", "baker", "tailor", "cobbler", "sailor", "farmer", "parson", "tinker", "barber",
    "piper", "shepherd", "fiddler", "ploughman", "butcher", "potter", "hermit", "drummer", "captain",
)  # fmt: skip
WOMEN = ("widow", "weaver", "milkmaid", "spinner", "dancer", "singer")
PEOPLE = MEN + WOMEN
SEAMEN = ("sailor", "captain")
PRONOUNS = {"man": ("he", "his", "him"), "woman": ("she", "her", "her")}

# Beasts of one syllable, with the coats they wear.
BEASTS = {
    "goose": ("grey", "white"),
    "hen": ("brown", "black", "white"),
    "cat": ("black", "grey"),
    "goat": ("brown", "black"),
    "pig": ("pink", "black"),
    "duck": ("brown", "white"),
    "mule": ("grey", "brown"),
    "cow": ("brown", "black"),
    "lamb": ("white", "black"),
    "hound": ("brown", "grey"),
    "ram": ("white", "black"),
    "mouse": ("brown", "grey"),
    "fox": ("red",),
    "crow": ("black",),
    "owl": ("grey", "brown"),
    "hare": ("brown", "grey"),
    "toad": ("green", "brown"),
    "frog": ("green",),
    "swan": ("white",),
}
FARM_BEASTS = ("goose", "hen", "cat", "goat", "pig", "duck", "mule", "cow", "lamb", "hound", "ram")
RUNNERS = (*FARM_BEASTS, "mouse", "fox", "hare")
SHIPMATES = ("goose", "hen", "cat", "goat", "pig", "duck", "lamb", "hound", "mouse")
SWIMMERS = ("goose", "duck", "toad", "frog", "swan")

# Things to lose or to trade: a word for the look and a word for the thing.
THINGS = (
    "red hat", "blue hat", "straw hat", "green coat", "blue coat", "brass bell", "gold ring", "tin spoon", "brass key",
    "tin cup", "red scarf", "silk scarf", "old flute", "new drum", "green purse", "gold watch", "bone comb", "gold pin",
    "new broom", "red shawl",
)  # fmt: skip
TRADES = ("cheese", "pie", "cake")
BREWS = ("soup", "stew", "broth")

# Words that may stand for each other, written <name> in the couplets.
WORDS = {
    "walked": "walked|ran|marched|skipped",
    "foggy": "foggy|windy|rainy",
    "monday": "Monday|Tuesday|Friday|Sunday",
    "plums": "plums|pears|figs|nuts",
    "peas": "peas|beans|leeks",
    "onion": "onion|carrot|turnip|cabbage",
    "honey": "honey|ginger|apple",
    "kettle": "kettle|basket|barrel|bucket",
    "willow": "willow|apple",
    "june": "June|May|spring",
    "sing": "Sing heigh, sing ho|Sing low, sing high|Sing up, sing down|Sing loud, sing long",
}

# Words that may end the two lines of a couplet: one family to a line.
RHYMES = """
day way say grey hay may pay stay away play today hooray pray bay lay
night light bright right sight white tight candlelight delight polite moonlight tonight might
blue two too you true do new through few stew knew flew crew
sea tree free tea me he be she key see three agree
door floor more before shore four snore sore swore wore for
there fair air hair chair square care spare share bare
go know slow row below low toe crow no oh
side wide cried replied pride tide inside outside bride sighed
sky high by pie goodbye dry reply why sigh buy
said red bed head bread instead ahead
dear near clear year hear beer weir
bell well tell sell fell shell smell
tale pail sail whale ale snail hail
found round sound around pound drowned
wall all hall small call tall
gate late plate eight wait mate
moon spoon soon noon tune june
sing ring string thing anything everything
fine line mine nine shine dine
old gold cold hold told bold
feet street sweet eat neat meat
lake cake take mistake rake shake
sun run done bun one fun
hand land sand stand grand understand
in grin tin thin violin win
town down brown gown drown
lane rain again complain vain
hat cat that sat chat
best rest west guest chest
spice nice twice rice price
made lemonade afraid spade trade
hill mill still sill
stop top mop plop
about out shout doubt
eyes surprise prize wise cries
hot pot got spot
clock knock sock
name came shame
speed agreed indeed
place race grace
song long strong
brook look cook
boat coat float
then ten hen
thyme rhyme time
green clean seen
roam home comb
wet net forget
soul pole bowl
peas cheese please
wood good should
find mind kind
went content
sack back
nose rose
end friend
knocks socks
began can
rope hope
drum come
joke broke
heart tart
boot fruit
brought bought
ham jam
steam cream
smile while
things sings
"""
FAMILY = {word: family for family, line in enumerate(RHYMES.split("\n")) for word in line.split()}

# The banks below hold couplets: lines to begin with and, indented, lines to end with.
# A first and a second line of one group make a couplet when they rhyme.  Blank lines
# part the slots, {names} stand for the cast, [this|that] leaves a choice.  Two slots
# make a stanza; one that begins with "?" is left out of half the ballads.
OPENING = """
There lived a {H} by the [sea|hill|mill|lake|shore|bay|weir|brook|wood],
There lived a {H} near the [sea|hill|mill|lake|shore|bay|weir|brook|wood|square],
There lived a {H} in the [town|wood|square|street],
There lived a {H} [up|down] the [lane|street|hill],
A {H} lived [above|beside|behind] the [sea|hill|mill|lake|shore|bay|weir|brook|wood|square],
    As [poor|proud|plump] a {H} as could be;
    Who lived on [bread|cake|cheese|plums] and [ginger|apple|honey] tea;
    Who [sang|hummed|danced] each night when all was still;
    With <plums> and [bread|jam|cheese] along the sill;
    Who every [<monday>|morning|evening] made a cake;
    With [roses|onions] round the [kitchen|cellar|garden] door;
    Who [swept|scrubbed] each [day|night] the kitchen floor;
    Who [danced|sang|hummed] through half the [summer|winter] day;
    Whose [coat|hat|door|scarf] was blue, whose [hair|cat|roof] was grey;
    Who [hummed|sang|played] a [tune|song] for all to hear;
    Who bought a [new hat|red hat|tin drum|new spoon] every year;
    Who grew the [finest|largest] <plums> each year;
    With [yellow|purple|silver] ribbons in {his} hair;
    Who [dozed|sang] each [evening|morning|Sunday] in a chair;
    Who did not have a single care;
    Who wore a [coat|hat|scarf] of green and brown;
    The [finest|oldest] {H} in the town;
    Who [sang|walked|danced] and [hummed|skipped|marched] all through the rain;
    Who [sang|danced], and never would complain;
    Who did what any {H} should;
    Whose <onion> soup was very good;
    Who kept the [garden|kitchen|cellar|window] clean and neat;
    With [boots|socks|shoes] too large for both {his} feet;
    Whose [plums|pears|figs|jam] and [bread|cheese|nuts] were good to eat;
    Who [loved|liked|learned] to [fish|sing] and dance and cook;
When I was young, beside the [sea|hill|shore|bay|weir|brook|lake|square|wood|street],
    There lived a {H} [proud|poor|plump] and free.
    There lived a {H} [shy|plump|calm|wise] and still.
    There lived a {H} dressed in grey.
    There lived a {H} [plump|shy|tall] and fair.
    There lived a {H} fond of beer.
    There lived a {H} fond of cake.
    There lived a {H} who could cook.
    There lived a {H}, [kind|wise|plump] and good.
    There lived a {H}, [kind|clean|plump] and neat.
    There lived a {H} who could snore.
"""

JOURNEY = """
{he} <walked> through [wind|mist|mud] and sun and rain,
    Along the [long|cold|dark] and [crooked|muddy] lane.
{he} took {his} [sack|lamp|bread] and left at noon,
    And [hummed|sang|played] a [merry|little|happy|sleepy] sort of tune.
{he} crossed the [village|market|garden] and the hill,
    And passed the [crooked|lonely|pretty] water mill.
{he} <walked> one lane, {he} <walked> two more,
    And [wet|hot] were both the boots {he} wore.
{he} <walked> until {his} feet were sore,
    And then {he} <walked> a little more.
{he} walked beneath the [summer|morning|evening|winter] sky,
    And [bowed|waved|sang] to every crow up high.
{he} <walked> so fast, through wood and town,
    That both {his} [woollen|yellow|purple|Sunday] socks came down.
The road was [long|wet], the [wind|mist|fog] was cold,
    {his} boots were [thin|wet], {his} coat was old.
The [road|lane] was [white|wet], the wind was strong;
    {he} [sang|hummed], and did not find it long.
{he} went by [mule|foot], {he} went by boat,
    With [cheese|bread|plums] and onions in {his} coat.
"""

CHORUS = """
<sing>, sing [wind|sun|fog] and rain,
    The {H} comes back home again.
<sing>, sing [sea|land|wood] and shore,
    The {H} wants to hear some more.
<sing>, sing [night and day|hay and May],
    For such was still the {H}'s way.
<sing>, sing moon and sun,
    The {H}'s song is never done.
<sing>, now fast, now slow,
    And tell the {H} all we know.
With [fiddle|whistle|kettle], drum and wooden spoon,
    We [sing|play] the {H}'s merry tune.
Dance [up, dance down|in, dance out|low, dance high], and shake your feet,
    The {H} [comes|runs] along the street.
Ring [out, ring out|high, ring low|loud, ring long], you village bell,
    And tell the {H} all is well.
"""

LOST = """
@OPENING

{he} had a fine {C} {T}, {his} pride,
    And [kept|held] it always at {his} side.
{he} loved {his} [fine|good|dear] {C} {T} so well,
    {he} kissed it at the [evening|morning] bell.
{his} [fine|good|dear] {C} {T} {he} put away
    With [pride|care|songs|sighs] at close of every day.
{he} loved {his} [fine|good|dear] {C} {T} the best,
    And kept it in a [wooden|heavy|yellow] chest.
{his} [fine|good|dear] {C} {T} was {his} delight;
    {he} [brushed|kissed|rubbed] it morning, noon and night.
{his} [fine|good|dear] {C} {T}, as all agreed,
    Was [quite|still] the best in town, indeed.

But then one [<foggy>|sunny] [noon|dawn] in May
    {he} found the {T} had gone away.
But then one [<foggy>|sunny] [day|dawn] in June
    {he} found it [gone|lost], and [all|much] too soon.
But then one <foggy> [winter|summer] night
    The [fine|dear|good] {C} {T} was out of sight.
But when {he} [looked|knelt|felt] [upon|below|behind] the chair
    No [fine|dear|good] {C} {T} was hanging there.
But when {he} [rose|came|looked] at half past eight,
    The {T} was gone; {he} came too late.
But when {he} [looked|knelt|felt] [beneath|behind|below] the bed
    {he} found a single [sock|boot|bean|mouse|crumb] instead.
But when {he} shut the [house|barn|mill|gate] at four
    {he} saw the {T} was there no more.

{he} searched the [kitchen|cellar], shook {his} head,
    {he} looked beneath the feather bed.
{he} shook the <kettle>, turned the hay,
    And searched the [house|barn|church|mill] for [half|all] the day.
{he} searched the [house|barn|mill|church] till half past three,
    And climbed the <willow> tree to see.
{he} looked in <kettle>, [jar|jug] and clock,
    {he} looked in every [winter|woollen|Sunday] sock.
{he} [looked|felt] above, {he} [looked|felt] below,
    And [dug|turned|searched] the [onions|garden], row by row.
{he} [groaned|sighed] so loud that half the street
    Came out to look on [sleepy|muddy|woollen] feet.

{he} asked the {F} up the lane,
    Who said, "[Sit down|Go home|Stand up] and look again."
{he} asked the {F} at the gate,
    Who said, "I [saw|heard] it [go|run] at eight."
{he} asked the {F} at the well,
    Who said, "I [know|might], but [will|shall] not tell."
{he} asked the {F} at the [mill|hill|sill],
    Who said, "I'm thinking. [Do|Please] stand still."
{he} asked the {F} at the door,
    Who said, "You lost [it|two|one] once before."
{he} asked the {F} in the square,
    Who said, "Look there, [beneath|beside|behind] your chair."
"Oh, where is my {C} {T}?" {he} [cried|sighed].
    "Perhaps," the {F} said, "outside."
{he} asked the {F}, who replied,
    "Perhaps it went to [play|dance|sleep|sit] outside."

"I saw a {B} go past," {fhe} said,
    "With something [sitting|dancing|hanging] on its head."
"I saw," {fhe} said, "a {B} today
    That [hummed|sang] and [danced|skipped] along the way."
"There is a {B}," {fhe} said, "near me,
    That knows what [people|neighbours|children] [cannot|do not] see."
"Go ask the {B}," {fhe} said, "and call;
    For it is [wise|old], and knows it all."
"Go ask the {B}," {fhe} said. "Just look:
    It has a [rather|very] [happy|sleepy|lonely] look."
"Go ask the {B}," {fhe} said, "next door.
    It took my [sock|cheese|hat|pie] the week before."

@JOURNEY

{he} found the {B} beneath a tree,
    As calm as any {B} could be.
{he} found the {B} [beside|behind|upon] a wall;
    It [did|would] not mind, it seemed, at all.
{he} found the {B} at half past three,
    Quite [happy|sleepy|lonely] with a [cup|pot|bowl] of tea.
{he} found the {B} asleep in hay,
    And shook it in a [happy|merry] way.
{he} found the {B} [beside|behind] the brook;
    It gave {him} such a [frosty|sorry|pretty|muddy] look.

"Give back my [fine|good|dear] {C} {T}," {he} said;
    The {B} just shook its [sleepy|heavy] head.
"[Come|Now], where is my {C} {T}?" {he} cried.
    "You should look [up|down]," the {B} replied.
"You took my [fine|good|dear] {C} {T} away!"
    {he} cried. The {B} just said, "Good day."
"I want my {T}!" {he} cried. "And soon!"
    The {B} just [hummed|sang|drummed] a little tune.

"Good {H}," said the {B}, "that sack
    Is [hanging|sitting] [there|safe] upon your back."
"Just look," the {B} said, "in that sack
    You [take|bring|bear] so proudly on your back."
"The thing you [want|seek|miss]," it said, "is found:
    It's in the sack you [take|bring|bear] around."
"I never took your {T}," it said.
    "You have a sack. [Now|Just|Do] ask your head."
"[You have it here|It's on your back|You took it all], and that is why
    Your sack is [full|fat|round|large]," it said. "Goodbye."
"You [brought|took] it with you all the way.
    It's in your sack," it [said|laughed]. "Good day."

{he} [looked|felt|reached] inside, and there it lay.
    {he} [blushed|stared], and knew not what to say.
{he} [searched|shook|turned] the sack, and [turned|went] bright red.
    "Good heavens, there it is!" {he} said.
{he} found it there, [beneath|beside|behind] the bread,
    And [laughed|blushed] until {his} ears were red.
{he} [found|saw] it there, and gave a shout,
    And [skipped|jumped|marched] and [sang|hummed] and danced about.

{he} gave the {B} a [honey|ginger|barley|currant] cake
    And said, "It was my [own|big] mistake."
{he} bowed, and took the {B} to tea,
    And they [were|are] friends, as friends [should|must|can] be.
{he} kissed the {B}, and off {he} went,
    A little [red|shy|wet], but well content.
{he} asked the {B} to be {his} guest,
    And [gave|brought] it what it [liked|loved] the best.

? So when you [lose|miss|seek] a thing, my dear,
    Look twice at all that [hangs|stands|sits] quite near.
So when you look, my friends, go slow:
    The thing you [want|miss|seek] [hangs|sits] just below.
So when you seek a [hat|key|spoon|shoe|cup], look round:
    The things we hold are [seldom|never] found.

And now {he} [keeps|wears|hangs] it on a string,
    And [never|seldom] loses anything.
And still {he} calls, from door to door,
    For [what|things] {he} lost the [day|week|month|year] before.
And so they [sing|dance|drum] for half the day
    About the {T} that ran away.

"Oh, fine {C} {T}, where did you go?"
    The {H} [calls|sings] now high, now low.
"Come [home|back]," the {H} [calls|sings], "come home!
    What made my {C} {T} wish to roam?"
Sing of the {T} that would not stay,
    And how the {H} searched all day.
One fine {C} {T} to lose and find,
    That sent the {H} out of mind.

The {H} calls in [wind|sun|fog] and rain,
    "Come [home, come home|back, come home|home, come back] to me again!"
The {H} [sings|calls] it, far and near:
    "Come [home, come home|back, come home|home, come back] to me, my dear!"
@CHORUS
"""

WORK = """
@OPENING

{he} [worked|toiled] all day, {he} [worked|toiled] all night,
    By [sun|lamp|fire] and star and candlelight.
{his} back was [sore|bent], {his} [soup|bread|tea] was cold;
    {he} [felt|looked] some ninety years too old.
From [morning|Monday|Tuesday] bell to [evening|Friday|Sunday] bell
    {he} [worked|toiled] and [scrubbed|swept], and was not well.
{he} had more work than {he} could do;
    {his} [coat|roof|bed|purse] had holes, {his} stockings too.
{he} never had an hour to [play|pray|stay],
    For there was work [to do|for two|for ten] all day.
{he} [worked|toiled|scrubbed|swept] so long and ate so late,
    {he} fell asleep upon {his} plate.

One [evening|morning|<monday>] came a knock, knock, knock
    At [ten|five] past [six|nine|eight], by {his} own clock.
One [<foggy>|frosty] [day|night|noon|dawn] there came a ring,
    And someone [there|tall|small] began to sing.
One [<foggy>|frosty] [day|night|dawn] the {H} cried,
    "Come in!" to someone just outside.
One [<foggy>|sunny|frosty] [day|noon|dawn] {he} rubbed {his} eyes
    On what was [quite|such] a [large|nice] surprise.

A fine {D} {B} stood at the door
    And [bowed|waved|sneezed] three times, or maybe four.
A fine {D} {B} walked in and said,
    "Good evening. [May|Might|Could] I have some bread?"
A fine {D} {B} stood in the light,
    Well [brushed|scrubbed|washed] and dressed, and so polite.
A fine {D} {B} came in with grace,
    And put its [basket|bucket|kettle|fiddle] in its place.
A fine {D} {B} sat down to tea,
    As [happy|sleepy|silly] as a [judge|king] could be.

"You look so [sleepy|lonely|sorry], friend," it said.
    "I'll do the [work|rest]. You [go|run] to bed."
"I'll do your work," the {B} began,
    "Much better than a {H} can."
"I'll do your [work|pots]," it [said|sang]. "What's more,
    I'll even mop the [kitchen|cellar] floor."
"Let me," it [said|cried|sang], "do what you do.
    You rest a [day|night|week|month], or maybe two."
"A {H}'s work," it said, "is fun.
    You rest; by [noon|dusk|dark|four] it will be done."
"[Sit|Lie] down," it said, "my [friend|dear], and eat.
    I work, and you may [warm|rest|toast] your feet."

"And what's the price?" the {H} cried.
    "[Two|Five|Six|Nine] [buns|tarts] a day," the {B} replied.
"What shall I pay?" the {H} said.
    "A bun," it said, "and [half|all] your bed."
"What will it cost?" {he} asked. "One pie
    A [day|week]," it [gave|made] as its reply.
"The price?" {he} asked. "A [cup|pot] of tea
    Each [day at noon|night at ten|day at five]," it said, "for me."
"What will it cost?" {he} asked. "One bun
    A [day|week|month]," it said, "when all is done."

Next [day|week|month] it rose at half past four
    And [hung|put] a [lamp|bell] upon the door.
It worked from [dawn|five|six|eight] till half past nine,
    And everything it [made|did] was fine.
It [sang|hummed], it worked so [quick|clean|calm] and neat;
    The tale [ran|went|flew] up and down the street.
The [work|job] was done by half past three;
    The {B} had time for [cake|toast|figs|bread] and tea.
By [noon|ten|four|dusk|five] the work was quickly done,
    And all the {B} [said|sang] was, "What fun!"

The {F} came, the {G} came,
    And called upon the {B} by name.
From [near|here] and far, from [hill|mill|wood|church] and town,
    The [people|neighbours|children] came, and all sat down.
The {F} came and stared, and swore
    {fhe} never saw such work before.
The {F} brought the {G} too,
    And soon they all [stood|sat|came] two by two.
The {F} came and brought {fhis} gold,
    As much as one [brown|big] [sack|jug] could hold.

The {H} sat beneath a tree,
    As [sad|calm|pale] as [you|one] will ever see.
The {H} slept till half past ten,
    {he} sighed, and went to sleep right then.
The {H} had no work to do;
    {he} counted [clouds|ducks], and lost a few.
The {H} lay in bed all day,
    And found it [rather|very] [long|sad|slow] that way.
The {H} watched the [clouds|ducks] go by,
    And gave a [long|sad|loud] and [lonely|sleepy] sigh.

"I miss my work," the {H} said.
    "My hands are sad, my [feet|ears|nose], my head."
"I want my [work|job] again," {he} [cried|sighed].
    "You gave it up," the {B} replied.
"Please may I work?" {he} asked. "You may,"
    The {B} replied, "[at|from] [five|six|four] each day."
"Dear {B}," {he} sighed, "it isn't fair.
    I have no [work|job]. I have no care."
"Is there," {he} [asked|sighed], "[a job|some work] for me?"
    "There is," it said. "[Go|Run|Come] [make|boil|bring] the tea."

So now the {B} is master there,
    And [sits|sleeps] upon the [largest|oldest|finest] chair.
So now the {B} sits in the hall,
    And [has a bell|has a drum|rings a bell] to call them all.
The {H} sweeps, and may not stop,
    With [brush|pail] and [bucket|basket], broom and mop.
The {H} does as {he} is told,
    And sweeps the street in [rain|wind|mist] and cold.
The {B} now wears the [Sunday|winter|summer|largest] hat,
    And no one [thinks|finds|calls] it strange at that.

{he} gets [two|five|six|nine] [buns|tarts], {he} sleeps in hay,
    And calls it quite a [happy|pretty|merry|better] day.
{he} [sings|hums] by day, {he} [sings|hums] by night,
    And thinks the {B} is always right.
They share the [bread|cake|toast|soup], they share the tea,
    And [who|which] is master? [Both|They] agree.
They share the [work|job|broom|mop], they share the song,
    And neither finds the [day|week|year|night] too long.

Oh, sing the fine {D} {B} who came
    And put the {H} all to shame.
Oh, sing the fine {D} {B} that knocks
    And mends the {H}'s winter socks.
A fine {D} {B}, a [broom|brush|mop], a pail,
    And one poor {H}: that's the tale.
"Go, {H}, rest," the {B} would sing,
    "And I shall [see|sing] to everything."
Oh, [who|which] is [quick|fast], and [who|which] is slow?
    The {B} and {H} surely know.

@CHORUS
"""

RACE = """
A {B} once met a {E} one day,
    And neither [wished|liked|thought] to clear the way.
A {B} once met a {E} in town,
    And looked it [slowly|proudly|calmly] up and down.
A {B} and {E} beside [the sea|a tree]
    Had [toast|cake|bread] and jam and honey tea.
A {B} once lived upon the hill,
    A {E} lived near the [water|village] mill.
Two neighbours [lived|met|sat] along one lane:
    The {B} was [proud|loud], the {E} was vain.
A {B} once [sat|dozed] below the wall;
    A {E} came by to pay a call.

"I run just like the [wind|rain|storm|clouds]," said one.
    "And I," the other [said|laughed|cried], "the sun."
"I am so quick," the {B} began,
    "I [run|race|go] as no one ever can."
The {B} said, "I am fast as light."
    "At supper," said the {E}, "you're right."
The {B} said, "You are rather slow."
    The {E} said, "That is all you know."
"Now," said the {B}, "[let's|we'll] run a race.
    I [know|see] who [takes|gets] the second place."

They asked the {H} from the mill
    To hold the [clock|watch] and stand quite still.
They asked the {H} to be fair,
    And met {him} in the [village|market|crooked] square.
They called the {H}, who agreed
    To [hold|bring|wind] a [watch|clock] and judge their speed.
The {H} drew a long white line
    And [cried|said|called], "The race is run at nine."
The {H} brought a [silver|golden|kitchen] bell
    To [ring|send] them off, and ring it well.

"The prize," {he} [said|cried|called], "is in this sack.
    Run once around the [pond|church|green] and back."
"The prize," {he} [told them|shouted|whispered], "is a pie,
    As wide as [this|that], and [twice|half] as high."
"The prize," {he} [told them|shouted|whispered], "is a cake.
    Run [once|twice] around the [muddy|village] lake."
"The first one home," the {H} said,
    "[Shall have|Will get] a [slice|pound] of [honey|ginger] bread."
"The first one [home|back|here]," {he} said, "will be
    My guest tonight for [cake|toast|figs] and tea."

The {H} [called out|counted|shouted], "One, two, three!"
    And off they [ran|raced|tore|flew] around the tree.
The {H} rang. Away they flew,
    And half the [village|children|neighbours] [went|ran] there too.
They [ran|raced|tore] through [barley|market], mud and brook,
    And never [gave|took] one [single|little] look.
They [ran|raced|tore] through [barley|kitchen], mud and rain,
    Then [up|down] the hill and [up|down] the lane.
They [ran|raced|tore] up hill, with head held low,
    And all the [children|neighbours|people] shouted, "Go!"

The {B} was first, but halfway down
    It stopped to buy a [hat|bun|drum|scarf|cake] in town.
The {B} was first, but stopped to eat
    A [slice|bowl|crust] of something warm and sweet.
The {B} was first, but stopped to chat
    Of [hats|cheese|shoes|songs] and supper, this and that.
The {B} was first, but saw a tree
    And [lay|dozed|slept] beneath it till past three.
The {B} was first, but, feeling hot,
    Sat down to [rest|doze] in some cool spot.

The {E} came next, and lost its way,
    And [dozed|slept|rolled] till evening in the hay.
The {E} came next, but stopped to stand
    And shake the poor old {G}'s hand.
The {E} came next, but found a fair,
    And danced all day with [children|people] there.
The {E} came next, and stopped to look
    At [silver|golden|yellow] fish [inside|below] the brook.
The {E} came next, but met a friend,
    And [told|heard|sang] a [tale|joke|song] that had no end.

A snail came [slowly|calmly|gently] to the line
    And whispered, "[Now|So|Then] the prize is mine."
A snail came [calmly|slowly|gently] down the hill,
    And [crossed|passed|reached] the line while all stood still.
At [five|six|nine|ten] a snail came [down|up] the lane,
    And won it, [humming|singing|smiling], in the rain.
At [dusk|six|nine|ten] a snail came into sight,
    And [crossed|passed|reached] the line by [cool|pale] moonlight.
A snail that did not [like|care|wish] to race
    Went [slowly|calmly|gently] on, and took first place.

"Well run!" the {H} told the snail,
    And gave it half {his} [ginger|apple|barley] ale.
The {H} cried, "Hip hip hooray!
    The snail has [won|got] the [prize|race] today!"
"The snail has won," the {H} said,
    And kissed it [gently|proudly|calmly|slowly] on the head.
"It is the snail!" the {H} cried,
    And all the [village|people|children] [danced|sang|skipped] with pride.
"Hooray," the {H} called, "for you,
    The snail that [knew|saw] just what to do."

The {B} came home at half past nine,
    The {E} at ten, and both felt fine.
The two came home with [heavy|hanging|muddy] head,
    And [crept|went] without a crumb to bed.
The two came home by [candlelight|pale moonlight|cool moonlight],
    And [told|sang] the tale for [half|all] the night.
The two came [home|back] at [close|end] of day,
    And [saw|heard|found] the snail had [gone|crept] its way.

? So run, my friends, and [run|race] till late;
    The [buns|cakes] and songs and fairs can wait.
The fast may [doze|stop], the quick may roam;
    The slow are always [first|safe] at home.
So if you [race|run], my friends, take care:
    The [slow|small|calm] may very soon be there.

And [since|from] that day the two, I hear,
    Have [raced that very|lost to that one] snail each year.
And [since|from] that day they [race|run] no more,
    But [sit|stand|lie] and [chat|doze] [beside|before] the door.
And [since|from] that day the snail will grin
    At [those|all] who [run|race] and never win.
And [since|from] that day, when snails [go|come] by,
    The two [bow low|turn red|sit down] and heave a sigh.

"Run, {B}," we sing, "and, {E}, run too!
    The road is [dry|long|wide], the sky is blue!"
"Go, {B}! Go, {E}! Go, run, run, run!"
    The {H} sings, and calls it fun.
The {B} is quick, the {E} is strong;
    The {H} made them both a song.
A {B}, a {E}, a [hill|lane|road], a race:
    [Who|Which] is to [take|get|win] the second place?

Oh, who will [win|run|race], and who will wait,
    And who will [first|soon] come through the gate?
"Run in the [sun|mud|fog|wind], run in the rain,
    And then," we [sing|shout|call], "run home again."
@CHORUS
"""

COURTSHIP = """
@OPENING

He loved the {F} up the lane,
    And [passed|watched] her gate in [sun|wind|fog] and rain.
He loved the {F} of the town,
    Who wore a [yellow|purple|silver] [evening|summer] gown.
He loved the {F} [by|at] the [mill|hill],
    And [people|neighbours|children] [say|know] he loves her still.
He loved the {F} in the square;
    He loved her [smile|songs|hat], he loved her hair.
He loved the {F} by the sea,
    And she loved [hats|toast|cheese] and <honey> tea.

On Monday, with a [bow|smile|sigh], he said,
    "I bring you, dear, [a slice|a crust|a pound] of bread."
On Monday, with a [bow|smile|sigh], said he,
    "I bring you, dear, a [pound|pot|cup] of tea."
On Monday, at the [gate|well|mill|fair], he cried,
    "I bring a [cake|pie|tart] with <plums> inside."
On Monday he [began|knelt down|came by] to sing,
    And gave her, in a [hat|sock|jar], a ring.
On Monday he was [proud|loud] and bold,
    And brought a [spoon|pin|cup|bell|comb] that looked like gold.

"How kind," the {F} said, "but no.
    I have [enough|got ten|got two]. Now off you go."
"No, thank you," said the {F}. "Pray
    Come [back|round] again some other [day|May]."
The {F} shook her pretty head.
    "I have a [cat|goose|goat] in bed," she said.
The {F} laughed and shut the door.
    "I have," she [called|said|sighed], "some ninety more."
The {F} said, "Oh dear, oh dear.
    The {G} brought me one last year."

On [Tuesday|Friday], in the [wind|fog|mud] and rain,
    He [sang|hummed] to her, and [sang|hummed] again.
On [Tuesday|Friday], by the [garden|village|kitchen] wall,
    He [sang|played|hummed] a [song|tune], with verse and all.
On [Tuesday|Friday], from the <willow> tree,
    He sang [all night|ten songs|her name], and off the key.
On [Tuesday|Friday], in the [pale|cool|white] moonlight,
    He played the [fiddle|whistle] half the night.
On [Tuesday|Friday], with a [yellow|purple] drum,
    He [marched|danced|skipped] about and begged her, "Come!"

The neighbours threw a [shoe|boot|sock|pot], then two;
    The {G} threw a bowl of stew.
The [geese|ducks|hens] all [sang|cried] on every side.
    "Do go to bed!" the {F} cried.
She put a [basket|bucket] on her head.
    "I [like|want] to sleep at night," she said.
She shut the window, blew the light,
    And [called|said|sighed], "That was enough. Good night."
"Your [verse|tune|rhyme]," she [called|said|sighed], "is [very|rather] long.
    Perhaps, next [time|week|year], a [better|little] song."

"What can I [bring|do|give]?" the {H} sighed.
    "You never asked me," she replied.
"What [can I do|do you want|shall I bring]?" at last he said.
    She [thought|hummed|smiled]. She blushed a little red.
On Sunday, with his [hat|heart|song|shoes] in hand,
    He [said|sighed|cried], "I [do not|just don't|still don't] understand."
On Sunday, at the [kitchen|garden|cellar] door,
    He [asked|sighed|cried], "What are you looking for?"
On Sunday he came [back|round|by] to say,
    "I'm out of [songs|tarts] and rings today."

"I want," she [said|sighed], "a second hand;
    My [gate|door] won't [shut|close], my chairs won't stand."
"My roof won't [stop|hold] the [rain|wind]," said she,
    "And no one comes for [soup|toast] with me."
"Come in," she [said|called], "and mend my chair,
    And then we'll [go|walk|run|dance] to see the fair."
"Come in and hold my [wool|cat|string|broom]," she said,
    "And tell me why your [nose is|ears are] red."
"My [clock|watch|wheel] has stopped, my [stove|lamp] is low;
    [Please|Do] mend," she said, "before you go."

He mended [roof|chair|stove] and gate and clock;
    He even washed a [woollen|yellow|winter|purple] sock.
He mended [chairs|pots], he [swept|scrubbed] the floor,
    And hung a [bell|lamp] [upon|above|beside] the door.
He brought the wood, he brushed the cat,
    He held her [wool|broom|hat|string], and there they sat.
He [worked|scrubbed|dug] until the day was done,
    And she brought out a [currant|honey|ginger] bun.
He set the clock, he [filled|washed|scrubbed] the pail,
    And then they had a [jug|pot|cup] of ale.

"You'll do," she [told him|whispered], "very well.
    Now [go|run] and ring the [village|largest] bell."
"You'll do," she [said|laughed|sighed], "so name the day."
    He [threw|tossed|waved] his [hat|scarf] and cried, "Hooray!"
"You'll do," she [said|laughed|sighed]. "You may be mine.
    Be here for [toast|cake|bread] and tea by nine."
"You'll do," she [said|laughed|sighed], "but, if you please,
    No [songs|verse]. And do you like [blue|strong] cheese?"

They wed in <june>. The {G} made
    A [barrel|bathtub|bucket] full of lemonade.
They wed in <june>, and all the town
    Went [dancing|singing] up the [street|hill] and down.
They wed in <june>; the cake was wide,
    The [cat|hen|goat|pig] walked in beside the bride.
They wed in <june>, beneath a tree,
    And all the [ducks|geese|hens] came by to see.

So ask, my [friend|dear], before you sing;
    She may not want a [song|rose|pin|tart] or ring.
So ask her first what you [may|can] do:
    A [gate|roof|chair|clock] may want a friend or two.
And so they live in [sun|wind|fog] and rain;
    He [sings|hums], and she does not complain.
And still he [sings|hums] to her at night,
    And still he [never|seldom] gets it right.
And still each <monday> he will sing,
    And she will [say|shout] she loves the thing.
And still, when all [their|the] work is done,
    They sit and share a [currant|honey|ginger] bun.

Oh, what will win the {F}'s heart?
    A [song|rose|bell], a [ring|drum|hat], a plum jam tart?
The {H} sighed the whole day long,
    And sang the {F} one more song.
Oh, sing the {H}, [poor|pale|shy] but true,
    Who loved the {F} through and through.
One {H} standing at the door,
    One {F} singing, "Not once more!"

He [sings|hums] it high, he [sings|hums] it low:
    "And will she have me, yes or no?"
@CHORUS
"""

VOYAGE = """
@OPENING

{he} had one [wish|hope]: to [go|sail] to sea
    And take a {B} to boil the tea.
{he} [dreamed|sang] of [whales|fish] and water wide,
    And wished to [sail|row] upon the tide.
{he} kept upon the [shelf|wall|sill|stove] a shell
    That [sang|hummed] of sea and [salt|storm|sand] as well.
{he} dreamed all [night|day] of [sand|salt|storm] and sail,
    Of [golden|silver|singing] fish and one big whale.
{he} lived on land, but, sad to tell,
    {he} [did not like|could not bear|could not stand] the mud too well.
{he} [stood|sat|knelt|lay] and sniffed the [frosty|foggy|morning] air
    And [thought|dreamed|sang] of what was [waiting|singing] there.

{he} took a [barrel|bathtub|bucket] for a boat
    And [thought|swore|sang] that it [would|must] surely float.
{he} made a ship of [wood|hope] and string,
    A rather [crooked|silly|lonely] sort of thing.
{he} made a sail from [one|an] old gown
    And [rolled|pushed] a [barrel|bathtub] through the town.
{he} [bought|made] a boat for half a pound,
    And [did|could] not find it very sound.
{he} [put|set] two bathtubs side by side
    And [rolled|pushed|threw] them [down|out] upon the tide.

{he} took a fine {D} {B} as mate,
    With [cheese|bread|cake] and <plums>, and sailed at eight.
{his} crew, one fine {D} {B}, no more,
    [Jumped|Climbed] in and pushed them [off|from] the shore.
A fine {D} {B} came as the crew,
    And brought a [pie|cake|drum|clock] and [fiddle|kettle] too.
A fine {D} {B} sat at the side
    And [sang|waved|pushed] them out upon the tide.
One fine {D} {B}, that never knew
    Which [end|side] was front, was all the crew.

The [wind|storm] got up, the [waves|sea] grew high,
    And clouds [ran|rolled|flew|crept] [black|dark|grey] across the sky.
A [storm|wind] [came|blew] up at half past three
    And [tossed|threw] the [boat|two] about the sea.
The [wind blew|waves ran] east, the [wind blew|waves ran] west,
    And no one had [an hour|a night|a bit] of rest.
It blew all day, it blew all night;
    There was no [land|hill|star|lamp] or ship in sight.
The [waves|sea|wind] stood up just like a wall,
    And, oh, the [boat|ship|crew] was very small.

"We sink!" the {H} cried. "Oh dear!"
    The {B} said, "Have some ginger beer."
"We'll drown!" the {H} cried, all white.
    "Perhaps," the {B} said, "not tonight."
"Row, row!" the {H} cried. "Watch out!"
    "I row," the {B} said. "Do not shout."
"Which way is home?" the {H} cried.
    "Let's ask a fish," the {B} replied.
"Where are we now?" the {H} said.
    "At sea," it [said|sang|sighed], and went to bed.

At [dawn|noon|dusk|last] they saw a bit of land
    With [silver|yellow|golden] fish along the sand.
They washed upon a [muddy|foggy|silver] shore
    That no one, surely, [saw|found|reached] before.
They [came|sailed|rolled] to land at half past nine,
    And both agreed the [place|beach|air] was fine.
The [storm|wind|night] went by; the sea lay still;
    They saw a [church|barn|well], a beach, a hill.
At [last|dawn|dusk] they reached a [muddy|foggy|pretty|silver] bay;
    Up rose the {B} and cried, "Hooray!"

They [met|saw] a cow they seemed to know,
    That [turned|stopped|stood] and gave a sleepy low.
{he} hung {his} [hat|scarf|coat] upon a tree
    And [said|cried|sang], "I take this [land|beach|hill] for me."
"Good people, hail!" the {H} cried.
    The {F} shook {fhis} head, and sighed.
"We come as friends!" the {H} cried.
    The {F} looked at both, and sighed.
{he} waved a [sock|scarf] and shouted, "Hail!"
    The {F} dropped a water pail.

"You're back," the {F} said, "I see.
    You're just in time for [toast|soup|cake|bread] and tea."
"Get off my <peas>," the {F} said.
    "Your own front [door|gate] is just ahead."
"What land is this?" the {H} cried.
    "The one you left," {fhe} soon replied.
"You sailed," the {F} told them, "round
    My pond, and it is home you found."
"Good day," the {F} said. "Come in.
    You [crossed|sailed] my duck pond in a tin!"

The {H} blushed, and looked about.
    "It is the [street|mill|church|pond]," {he} said, "no doubt."
The {H} turned a sorry red.
    "It [looked|was] so wide before," {he} said.
The {B} just laughed, and said, "I see!
    I knew it by the <willow> tree."
The {H} laughed till {he} was sore,
    And then {he} laughed a little more.

? The boat grows [beans|peas] beside the door,
    And both are proud to stay on shore.
The boat is full of <peas> and thyme,
    And {he} has [put|turned|made] it into rhyme.
And still {he} sings, by candlelight,
    Of waves and [whales|fish], and that one night.
The boat is now a [bed|house|barn] of hay
    Where [hens|ducks|geese] can sit and sleep all day.

The world is [wide|big|large], the sea is grand,
    But [soup|tea|toast|cake] is better on dry land.
The sea is [wide|deep|cold|loud], the [ship|boat|crew] is small,
    But home is [warm|dry|good], and that is all.
So if you [sail|row] away, my dear,
    Look round: you may be [very|rather] near.
So if you [sail|row|walk], my friends, [sail|go] slow:
    The world is [full|made] of things you know.

Row, {H}, row, and, {B}, row too!
    The [sea|pond] is deep, the sky is blue.
"Heave ho, heave ho!" the {H} cried;
    The {B} sat dreaming at {his} side.
The {H} rows, the {B} keeps time,
    And both of them [sing out|call out] in rhyme.
Sing of the {H} and {his} crew:
    One {B}, that ate the fiddle too.

"Oh, who will [come|sail|row] to sea with me?"
    The {H} sings. "We sail at three."
@CHORUS
"""

MOON = """
@OPENING

{he} loved the moon above the [mill|hill],
    And [watched|drew] it from the [window|kitchen] sill.
{he} loved the moon [above|upon] the sea,
    And always asked it [down|in|home] to tea.
{he} loved the moon, so [round|big|fat] and white,
    And [sang|bowed] to it with all {his} might.
{he} loved the moon, so [round|big|fat|pale] and high,
    And took it for a <honey> pie.
{he} loved the moon, and every night
    {he} [waved|sang|bowed] to it by candlelight.
{he} loved the moon above the lane,
    And [did|could] not [see|find] it in the rain.

One night {he} saw it, [round|big|pale] and slow,
    [Swim|Lie|Float|Sink] in the village pond below.
One night the pond was [bright|clear|white] as day:
    There, in the mud, the [full|round|big] moon lay.
One night it [lay|swam], a [silver|golden] ring,
    Across the pond, the [lonely|pretty|sleepy|happy] thing.
One night the pond was [still|dark|black] and cold,
    And in it [lay|swam|slept] the moon, all gold.
One night {he} saw it, [pale|fat|white] and round,
    [Swim|Lie|Float|Sink] in the pond without a sound.
One night {he} [passed|reached] the pond and cried,
    "[Good heavens|Come quickly], see what is inside!"

"The moon has tumbled in!" {he} cried.
    "The poor [thing|dear|soul] must be [cold|wet|sad] inside."
"The moon fell in!" the {H} said.
    "It [wants|needs] a [warm|dry|good] old feather bed."
"Poor moon," {he} [said|called], "don't be afraid;
    I'll fish you out with [net|rake|rope|pole] and spade."
"Hold on," the {H} called, "hold tight!
    I'll [have|fish] you [out of|up from] there tonight."
"It fell!" {he} [cried|sighed|called]. "It tumbled down!
    No moon can swim. [And it|So it|Now it] will drown!"
"Who dropped," {he} asked, "the moon in there?
    I call it want of any care."

{he} took a [bucket|basket] and a net,
    And soon both [socks|boots|feet] were very wet.
{he} took a [long|big|strong] and [wooden|crooked] spoon
    And leaned [far|right] out to catch the moon.
{he} took a [rake|pole|net], {he} took a pail,
    And fished, as people fish for whale.
{he} cast a net, {he} cast a line,
    With [cheese|bread|ham] upon it, old and fine.
{he} took a [kettle|basket|bucket] and a rope,
    A [slice|bit] of [cheese|cake|bread], a bit of hope.

{he} leaned too far, {he} gave [a|one] shout,
    And then just two [brown|black|large|wet] boots stuck out.
{he} leaned too far. {He} slipped, {he} fell,
    And what {he} [said|cried|called] I [shall|will] not tell.
{he} leaned too far, and, turning round,
    {he} tumbled in without a sound.
{he} leaned too far. The pond was cold,
    And rather deep, as I was told.
{he} [leaned|reached] too far and tumbled in,
    And all the [ducks|geese|fish] began to grin.

A {B} swam up to {him} to say,
    "You're in my [bed|tea|soup|house]. [Please|Do] go away."
A {B} swam by, and stopped to say,
    "We seldom see a [hat|coat|boot|nose] this way."
A {B} swam up and said, "Who's there?
    You have my [supper|children|onions] in your hair."
A {B} swam up and rubbed its eyes
    And cried, "A {H}! What a prize!"
A {B} swam up, and bowed, and said,
    "Good [evening|morning]. You are on my [bed|bread|head]."
A {B} swam round {him}, once or twice.
    "The water," said the {B}, "is nice."

The {F} came with rope and light
    And [pulled|fished] {him} out, a [sorry|muddy|dripping] sight.
The {F} heard, and brought a pole,
    And [fished|pulled] {him} out, poor [dripping|silly|muddy] soul.
The {F} ran with rope and rake
    And pulled till [both|all] began to shake.
The {F} pulled {him} to the side.
    "What were you fishing for?" {fhe} cried.
The {F}, passing by, said, "Oh!"
    And [pulled|fished] {him} [out|up] by one big toe.

"I [went|came|jumped]," {he} [said|sneezed|sighed], "to save the moon;
    It [would|might] have drowned there very soon."
"The moon fell in," {he} [said|sneezed|sighed]. "It's there.
    It's [cold|wet|lost], and no one else will care."
"I came," {he} [sneezed|sighed], "to get it out;
    One [cannot|must not] let it [float|swim] about."
"It's in the [pond|mud]," {he} [sighed|cried], "and drowned,
    So big and [yellow|silver], [bright|kind] and round!"
"I thought," {he} [said|sneezed|sighed], "it might catch cold.
    The moon, I [think|know], is [rather|very] old."

The {F} waved up to the sky;
    There hung the moon, [quite|all|still] safe and dry.
The {F} gently turned {his} head
    Up to the sky. "Look there," {fhe} said.
"Look up," the {F} said, "and see:
    It hangs above the <willow> tree."
"Look up," the {F} said. "My dear,
    The moon is out, all [safe|round|bright|cool] and clear."
The {F} laughed. "Just look up there:
    It hangs above the [village|market|crooked] square."

"I got it out!" the {H} cried,
    And [sneezed|skipped|sang] and danced with joy and pride.
"I saved it, then," the {H} said,
    And, dripping [proudly|gently|slowly], went to bed.
"I [threw|pushed|tossed] it back," {he} cried, "up there!"
    With [mud|fish] and snails stuck in {his} hair.
"I pulled so well," was {his} reply,
    "I [threw|tossed|sent] it back into the sky!"
"I saved it!" cried the {H}. "See,
    It [flew|jumped|went] up there because of me."

The {F} smiled, and let it be,
    And rubbed {his} [feet|ears], and made [some|the] tea.
The {F} said, "You're [good|wise] and kind,"
    And thought, "and rather out of mind."
The {F} gently shook {fhis} head,
    And [took|sent|brought] the {H} home to bed.
The {F} just smiled. "Very nice,"
    {fhe} said, and rubbed {his} left foot twice.

And when it shines, all [round|clean|bright|big] and new,
    {he} sings to all, "I rescued you."
And still {he} walks the pond with care,
    And [smiles|sings] to find it isn't there.
And now {he} keeps the [net|pole|rake|rope] near by,
    In case it tumbles from the sky.

So if you [see|find] it in a lake,
    Look up, and make no such mistake.
So if you [find|think] the moon is wet,
    Look up before you [cast|buy] a net.
The moon is [kind|calm|wise|good]: it [does|will] not tell
    Of those who [thought|swore|dreamed] it slipped and fell.
The moon still [shines|smiles] on [pond|roof|mill] and street,
    On [Sunday|winter|summer] hats and [dripping|dancing|muddy] feet.
The moon just smiled, and [did|would] not say
    What it was [thinking|dreaming], night or day.

"Oh, moon," {he} sings, "hold on up high,
    And do not tumble from the sky!"
Shine, moon, shine down on [wood|pond|roof|lane] and hill;
    The silly {H} loves you still.
Oh, [round|big] and [yellow|silver], [cold|pale] and wet,
    A moon, a {H}, and a net.

The {H} stands with net and line
    To catch you if you [do not|will not] shine.
"Good moon," the {H} sings, "good night!
    I keep you [safe|dry|warm], I keep you bright."
@CHORUS
"""

BOOT = """
@OPENING

{he} had one <onion> and a pot,
    And that was [all|what] {he} ever got.
{he} had a [pot|jug], {he} had a spoon,
    And not a [crumb|crust|fig|bean] to eat [by|at] noon.
{his} shelf was bare, {his} [purse|jug] was light,
    {he} went without {his} bread that night.
{he} had a [pot|jug], {he} had a bowl,
    But not one [crust|crumb|fig|bean] in it, poor soul.
{his} jug was dry, {his} shelf was bare;
    There was no supper for {him} there.
{he} had no [ham|cheese|bread], {he} had no meat,
    And not much in the [house|jar|pot] to eat.

{he} [set|put] the pot upon the green
    And boiled a boot, well [scrubbed|washed|brushed] and clean.
{he} [set|put] the pot out in the street
    And boiled the [left|right] boot from {his} feet.
{he} made a fire [beside|above] the brook,
    [Pulled|Took] off [one|a] boot, and let it cook.
{he} filled the pot up to the top
    And let one [muddy|Sunday|winter|summer] boot go plop.
{he} [hung|set|put] the pot [outside|before] the door
    And boiled the [oldest|finest|largest|better] boot {he} wore.

The {F} came and sniffed the air.
    "What have you [got|put]," {fhe} asked, "in there?"
The {F} came along to see.
    "What have you boiled today?" asked {fhe}.
The {F} stopped and shook {fhis} head.
    "Is that a [boot|shoe] in there?" {fhe} said.
The {F} came and bent down low.
    {fhe} asked, "Is that a boot, or no?"
The {F} stopped beside the pot
    And asked, "What [is|was] it you have got?"

"Boot {P}," the {H} said, "is fine.
    I gave the king a [bowl|cup|spoon|jug] of mine."
"It is boot {P}," the {H} said;
    "It's better than [your|my] [meat|soup|cake|cheese] and bread."
"Boot {P}," {he} said. "The best of all.
    They [eat|boil] it in the finest hall."
"Boot {P}," {he} told {fhim}, "and you may
    Share [half|all] the [pot|bowl|jug] with me today."
"Boot {P}," the {H} said. "The smell
    Will make the oldest {G} well."

"It [lacks|wants]," {he} sighed, "one thing, no more:
    A <onion> from your kitchen door."
"It lacks," {he} sighed, "just <peas> and rice;
    With those it would be [twice|half] as nice."
"It [lacks|wants]," {he} [sighed|said], "a bit of meat,
    Some <peas>, and something green and sweet."
"It [lacks|wants]," {he} [sighed|said], "a bit of spice,
    Some <peas>, some fish, and some more rice."
"It [lacks|wants]," {he} [sighed|said], "a thing or two:
    Some <peas> and cheese, perhaps, would do."

The {F} ran and quickly brought
    The finest fish {fhe} ever bought.
The {F} ran and brought a ham
    And, just in case, a [jar|pot|pail|jug] of jam.
The {F} brought some <peas> and rice,
    A [ham|fish|fig], a [duck|hen|hare], and every spice.
The {F} gave a [pound|sack] of peas,
    And half a wheel of [yellow|village|summer] cheese.
The {F} said, "I think I might
    Spare one big <onion> for tonight."

The {G} threw three onions in,
    And [stood|sat] there with a [happy|silly|sleepy] grin.
The {G} came with salt and thyme
    And [said|sang|cried] that it was supper time.
The {G} came with cheese and cream,
    And [stood|sat] there [smiling|singing] in the steam.
The {G} brought some figs, and then
    Came [back|round] again with one whole hen.
The {G} brought a hen to share,
    And all the [onions|barley] {ghe} could spare.

The [smell|steam] went up and down the street,
    And [half|all] the [town|church|mill] came out to eat.
They ate it [hot|warm|cold], they ate it all,
    The [young, the old|plump, the thin|rich, the poor|loud, the shy], the short, the tall.
They ate, they [laughed|sang|danced], they ate till nine,
    And all the [people|neighbours|children] called it fine.
They ate it by the [yellow|silver] moon,
    And [drummed|played] a [song|tune] with every spoon.
They [ate|sang] until the [pot|bowl] was clean,
    And [danced|skipped|marched] together on the green.

"Who knew," the {F} said, "a boot
    Could be as [sweet|good] as [summer|yellow|honey] fruit?"
"I'll boil my slippers soon," {fhe} said,
    "And save the [ham|cheese|fish], and save the bread."
"A boot!" the {G} cried. "Who knew?
    I [walk|run|stand] all [day|year] on such a stew!"
"One thing," the {F} said, "is clear:
    We must have [boot|this] [three|four|five|six] times a year."

The {H} fished it out with pride,
    The boot, with still some <peas> inside.
{he} put the boot back on, still wet,
    A [walk|night] no sock will soon forget.
{he} wore it home, both [warm|wet|hot] and slow,
    With half a <onion> on one toe.
The boot came out, and it was seen
    That no [brown|black|old] boot was half so clean.

So share your [pot|soup|fire] with every friend,
    And mind the [lace|toe] that's at the end.
So if your [shelf|plate|bowl] is bare, just look:
    You may have [something|stockings|slippers] left to cook.
So if you have no supper, smile,
    And boil your [boots|shoes|socks|hats] a little while.
So if your friends are [kind|nice|good|poor] and few,
    Take off a [boot|shoe|sock], and let it stew.
So ask for [little|something], ask it twice,
    And any [boot|sock|shoe] will turn out nice.

Boot {P}, boot {P}, so rich and hot,
    The {H} [sings|hums] [about|beside] the pot.
Stir, {H}, stir the {P} around;
    No better {P} was ever found.
Oh, good boot {P}, so brown and sweet;
    The {H} sings, "Sit down and eat!"

With <peas> and [salt|thyme] and [ham|fish] and rice,
    And one [brown|long|black] lace to make it nice.
Bring [bowl|cup|jug], bring [bread|salt], bring spoon, bring plate,
    And [come|run|dance] along; it's very late.
@CHORUS
"""

FAIR = """
@OPENING

{he} had a fine {D} {B} to sell,
    That [ate|sang] too much and slept too well.
{he} had a fine {D} {B} at home
    That [liked|loved] to eat {his} [brush|hat|scarf] and comb.
{he} had a fine {D} {B}, no bread;
    "We'll [go|walk] to market, then," {he} said.
{he} had a fine {D} {B}, but oh,
    {he} had no [coin|pay|bread], so it must go.
{he} had a fine {D} {B} to trade,
    That made the [neighbours|children|people] all afraid.

@JOURNEY

They [came|walked|ran|skipped] together to the fair
    And found the {F} waiting there.
They [came|walked|ran] to town at half past eight,
    And met the {F} at the gate.
They [walked|marched|skipped|ran] to market, two by two,
    And met the {F} going too.
They [came|walked|ran] to market in the rain
    And met the {F} in the lane.
They came at [noon|dawn|ten|nine], with song and shout,
    And saw the {F} walk about.

"I'll give you for the {B}," {fhe} said,
    "This fine {C} {T} of mine instead."
"Let's trade," the {F} said. "I'll take
    The {B} for my {C} {T} and cake."
"My fine {C} {T} for it!" {fhe} cried.
    "It is a [deal|trade|swap]," {he} soon replied.
"I like your {B}. For it, from me,
    You get this fine {C} {T}," said {fhe}.
"A {B}!" the {F} said. "How sweet!
    For it, my fine {C} {T}! How neat!"

The {G} saw it, passing by,
    And [said|cried|sighed], "Now that I [have|want] to buy!"
{he} met the {G} by the well,
    Who asked {him} would {he} trade or sell.
{he} met the {G} on the green,
    Who [said|cried], "The finest ever seen!"
At half past [two|three|four|ten], outside the town,
    {he} met the {G} sitting down.
{he} met the {G} by the gate,
    Who saw the {T}, and could not wait.

"I'll give my {P}. It's big and round
    And is," {ghe} said, "a good [ten|five|six] pound."
"I'll give my {P}," the {G} said.
    "It's better than my own old [bread|bed]."
"My {P}," {ghe} said, "I made today,
    And ate just half along the way."
"I'll give my {P} for it," {ghe} cried.
    "It has a lot of [nuts|figs|pears] inside."
"My {P} for that," {ghe} said. "It's sweet,
    And more than [half the town|you and I] can eat."

{he} swapped the {P} for one good song
    With every verse both [sweet|sad|loud] and long.
{he} swapped the {P} for one black crow
    That said goodbye, and had to go.
{he} swapped the {P} for just one tune
    That someone [played|drummed] upon a spoon.
{he} swapped the {P} for one [red|white|pink] rose
    And [put|held] it [proudly|gently] to {his} nose.
{he} swapped the {P} for one [good|old|long] joke,
    And laughed until {his} buttons broke.

No {B}, no {P}, no {T}, no pay,
    And yet {he} [sang|danced|hummed] the whole long way.
So {he} had nothing left at all,
    But walked home [singing|humming|smiling], [standing|feeling] tall.
{he} searched {his} coat and hat, and found
    A button, [string|mud|cheese], and not one pound.
{his} purse was thin, {his} [sack|heart|coat] was light;
    {he} walked home [singing|humming|smiling] half the night.
And so {he} had, when [day|all] was done,
    No {B}, no {P}, no coin: not one.

The {F} stood before {his} gate.
    "Your {B}," {fhe} groaned, "ate every plate."
The {F} stood before {his} door.
    "Your {B}," {fhe} groaned, "has learned to snore."
The {F} stood there, pale and thin.
    "It [ate|broke]," {fhe} groaned, "my violin."
The {F} stood before {his} wall.
    "Your {B}," {fhe} groaned, "sings in my hall."
The {F} stood there, red and hot.
    "Your {B}," {fhe} groaned, "slept in the pot."

"I'll pay," the {F} begged, "in gold;
    [Just|Please|Do] take it home before I'm old."
"I'll pay you [five|six|nine|ten] gold rings," {fhe} cried,
    "If you will keep it on [your|that] side."
"I'll pay you for it," {fhe} [said|cried], "twice!"
    The {H} smiled, and set the price.
"I'll pay," {fhe} [said|sighed], "and thank you, too.
    I cannot [live|sleep|dance] with it. Can you?"

So [back|home] it came, and with it gold,
    More than the largest [purse|jug|hat] could hold.
So [back|home] it came, and now they dine
    On [figs|plums|pears|cakes] and cream at half past nine.
So {B} and gold came home to stay,
    All [made|won] in one [short|long|good] market day.
So home it [came|went], and on its back
    It brought the gold, a [heavy|happy] sack.

And when the {H} needs some more,
    {he} trades the {B}, just like before.
And every time {he} [needs|wants] some pay,
    {he} sells the {B} for half a day.
And every [spring|year|week|month] {he} takes it there,
    And [sells|trades] it, once more, at the fair.

And when they come to call, those two,
    The {F} hides, as you would do.
A crooked [trade|deal|swap] can turn out well:
    It all comes down to what you sell.
The purse grows [fat|big|round], the {B} grows too,
    And neither has much [work|else|left] to do.

Along the [road|lane] to [fair|town] they go,
    The {H} quick, the {B} so slow.
"Who wants to buy?" the {H} cries,
    "A {B} that's plump, a {B} that's wise?"
"A swap, a swap!" the {H} sings,
    "The {B} for all your pretty things!"
One {B} to sell, one {T} to trade,
    And that's the deal the {H} made.

@CHORUS
"""

BANKS = {"OPENING": OPENING, "JOURNEY": JOURNEY, "CHORUS": CHORUS}


@dataclass(frozen=True)
class Story:
    """A kind of ballad: its titles, its couplets (the refrain last) and who may take part."""

    titles: tuple
    couplets: str
    heroes: tuple = PEOPLE
    friends: tuple = PEOPLE
    beasts: tuple = tuple(BEASTS)
    foods: tuple = TRADES


STORIES = (
    Story(("THE {H} AND THE {C} {T}", "THE {H}'S {C} {T}", "THE {H} WHO LOST THE {C} {T}"), LOST),
    Story(("THE {H} AND THE {D} {B}", "THE {D} {B} WHO HELPED THE {H}"), WORK),
    Story(("THE {B} AND THE {E}", "THE RACE OF THE {B} AND THE {E}"), RACE, beasts=RUNNERS),
    Story(("THE {H} AND THE {F}", "THE {H} WHO LOVED THE {F}"), COURTSHIP, heroes=MEN, friends=WOMEN),
    Story(
        ("THE {H} WHO WENT TO SEA", "THE {H} AND THE {B} AT SEA"),
        VOYAGE,
        heroes=tuple(name for name in PEOPLE if name not in SEAMEN),
        beasts=SHIPMATES,
    ),
    Story(("THE {H} AND THE MOON", "THE {H} WHO CAUGHT THE MOON"), MOON, beasts=SWIMMERS),
    Story(("THE {H}'S BOOT {P}", "THE {H} WHO BOILED A BOOT"), BOOT, foods=BREWS),
    Story(("THE {H} AT THE FAIR", "THE {H} WHO SOLD THE {D} {B}"), FAIR, beasts=FARM_BEASTS),
)


def read_slots(text: str) -> list:
    """``[(optional, [(first lines, second lines), ...]), ...]`` from a bank of couplets."""
    slots = []
    for paragraph in text.strip().split("\n\n"):
        groups = []
        for line in paragraph.split("\n"):
            if line.startswith("@"):
                groups += read_slots(BANKS[line[1:]])[0][1]
            elif line.startswith(" "):
                groups[-1][1].append(line.strip())
            else:
                if not groups or groups[-1][1]:
                    groups.append(([], []))
                groups[-1][0].append(line.removeprefix("? "))
        slots.append((paragraph.startswith("? "), groups))
    return slots


def last_word(line: str) -> str:
    """The word that bears the rhyme."""
    return re.findall("[a-z]+", line.lower())[-1]


def draw_cast(rng: random.Random, story: Story) -> dict:
    """Who and what ``{H}`` and the other names stand for throughout a ballad.

    H is the hero (he, his, him), F and G are neighbours (fhe, ghe and so on), B and E
    beasts, of which B has the coat D; T is a thing of the look C, P what there is to eat.
    """
    cast = {"H": rng.choice(story.heroes)}
    cast["F"] = rng.choice([name for name in story.friends if name != cast["H"]])
    cast["G"] = rng.choice([name for name in PEOPLE if name not in cast.values()])
    for role, prefix in (("H", ""), ("F", "f"), ("G", "g")):
        forms = PRONOUNS["woman" if cast[role] in WOMEN else "man"]
        cast.update((prefix + key, form) for key, form in zip(PRONOUNS["man"], forms, strict=True))
    cast["He"] = cast["he"].capitalize()  # for a sentence that begins within a line
    cast["B"], cast["E"] = rng.sample(story.beasts, 2)
    cast["D"] = rng.choice(BEASTS[cast["B"]])
    cast["C"], cast["T"] = rng.choice(THINGS).split()
    cast["P"] = rng.choice(story.foods)
    return cast


def fill(rng: random.Random, template: str, cast: dict) -> str:
    """A line of a bank with every choice made."""
    text = re.sub(r"\[([^]]*)\]", lambda m: rng.choice(m[1].split("|")), template)
    text = re.sub(r"<(\w+)>", lambda m: rng.choice(WORDS[m[1]].split("|")), text)
    text = re.sub(r"\{(\w+)\}", lambda m: cast[m[1]], text)
    text = re.sub(r"\b([Aa])(?= [aeiou])", r"\1n", text)
    return re.sub(r"[A-Za-z]", lambda m: m[0].upper(), text, count=1)


def draw_couplet(rng: random.Random, groups: list, cast: dict) -> tuple:
    """Two lines of one group that rhyme, on two different words."""
    while True:
        firsts, seconds = rng.choices(groups, [len(firsts) for firsts, _ in groups])[0]
        first = fill(rng, rng.choice(firsts), cast)
        end = last_word(first)
        rhymes = [line for line in (fill(rng, second, cast) for second in seconds) if last_word(line) != end]
        rhymes = [line for line in rhymes if FAMILY[last_word(line)] == FAMILY[end]]
        if rhymes:
            return first, rng.choice(rhymes)


def draw_stanza(rng: random.Random, slots: tuple, cast: dict, used: set) -> tuple:
    """Four lines, two couplets on different rhymes, with as few used lines as patience allows."""
    stanza = ()
    for groups in slots:
        taken = FAMILY[last_word(stanza[0])] if stanza else None
        best = None
        for _ in range(PATIENCE):
            couplet = draw_couplet(rng, groups, cast)
            if FAMILY[last_word(couplet[0])] == taken:
                continue
            if best is None or len(used.intersection(couplet)) < len(used.intersection(best)):
                best = couplet
            if not used.intersection(best):
                break
        stanza += best
    return stanza


def draw_ballad(rng: random.Random, story: Story, used: set) -> tuple:
    """The title of a new ballad and its stanzas, the refrain in its two places."""
    cast = draw_cast(rng, story)
    title = re.sub(r"\{(\w+)\}", lambda m: cast[m[1]].upper(), rng.choice(story.titles))
    slots = read_slots(story.couplets)
    stanzas = []
    for (optional, first), (_, second) in zip(slots[::2], slots[1::2], strict=True):
        if not optional or rng.random() < 0.5:
            stanzas.append(draw_stanza(rng, (first, second), cast, used))
    refrain = stanzas.pop()
    return title, [*stanzas[:REFRAIN_AFTER], refrain, *stanzas[REFRAIN_AFTER:], refrain]


def make_ballads(seed: int = SEED) -> list:
    """``[(title, stanzas), ...]``: no title occurs twice, nor any stanza but a refrain in its ballad."""
    rng = random.Random(seed)
    stories = list(STORIES) * BALLADS_PER_STORY
    rng.shuffle(stories)
    ballads, titles, used, seen = [], set(), set(), set()
    for story in stories:
        while True:
            title, stanzas = draw_ballad(rng, story, used)
            if title not in titles and not seen.intersection(stanzas):
                break
        titles.add(title)
        seen.update(stanzas)
        used.update(line for stanza in stanzas for line in stanza)
        ballads.append((title, stanzas))
    return ballads


def render(ballads: list) -> str:
    """The text of the book: a blank line before each stanza, two before each title but the first."""
    texts = []
    for title, stanzas in ballads:
        texts.append(title + "\n")
        for stanza in stanzas:
            texts[-1] += "".join("\n" + INDENT * (row % 2) + line for row, line in enumerate(stanza)) + "\n"
    return "\n\n".join(texts)


def write(folder) -> None:
    """Write ``verse.txt`` into the folder."""
    with open(Path(folder) / "verse.txt", "w", encoding="utf-8", newline="\n") as file:
        file.write(render(make_ballads()))


if __name__ == "__main__":
    write(Path(__file__).parent)
