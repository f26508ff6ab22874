"""The page of the server, in a real browser, used by keyboard."""

import json
import shutil
import time
from urllib.parse import urlsplit

import pytest
import requests

pytestmark = pytest.mark.slow

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
# Language, width of the window, and words of the page.
VIEWS = [
    pytest.param("en", 1280, ("Classification", "Generation", "Translation", "All signatures"), id="English, wide"),
    pytest.param("ko", 390, ("텍스트 분류", "텍스트 생성", "번역", "전체 시그니처"), id="Korean, narrow"),
]


@pytest.fixture(scope="module")
def page_server(server_process, exports, small_tasks):
    """A server of the exports of all tasks, that shows the inside of a classifier."""
    with server_process(exports, "--run", small_tasks["sentiment"].run()) as started:
        assert started.url, started.process.stderr.read().decode()
        yield started


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs a browser: chromium and chromedriver (Debian: apt-get install chromium chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


class Page:
    """The page in a browser, used with the keyboard alone.

    Args:
        browser: The driver of the browser.
        url: The address.
        language: "en" or "ko".
        width: Of the window, in pixels.
    """

    def __init__(self, browser, url, language, width):
        self.browser = browser
        for kind in ("browser", "performance"):
            browser.get_log(kind)  # what came before
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(url)
        browser.execute_script(f"localStorage.setItem('language', '{language}')")
        browser.get(url)
        self.wait("[role=tab]")

    def find(self, selector):
        return self.browser.find_elements("css selector", selector)

    def wait(self, selector, text=""):
        """Return the first visible element with a text, as soon as there is one."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText ?? '')"
            texts = self.browser.execute_script(script, selector)
            if any(text in one and (one or not text) for one in texts):
                return self.find(selector)[[text in one for one in texts].index(True)]
            time.sleep(0.1)
        raise AssertionError(f"no {selector} with {text!r}: {self.browser.find_element('tag name', 'body').text}")

    def texts(self, selector):
        return self.browser.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector
        )

    def wait_for_texts(self, selector, expected):
        """Wait until the elements have these texts, one after the other."""
        end = time.monotonic() + 60
        while (found := self.texts(selector)) != expected and time.monotonic() < end:
            time.sleep(0.1)
        assert found == expected

    def press(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()

    def tab_to(self, selector):
        """Press the Tab key until an element that fits has the focus."""
        from selenium.webdriver.common.keys import Keys

        for _ in range(60):
            self.press(Keys.TAB)
            if self.browser.execute_script("return document.activeElement.matches(arguments[0])", selector):
                return
        raise AssertionError(f"the Tab key does not reach {selector}")

    def open(self, name):
        """Open a tab by its name, with the arrow keys."""
        from selenium.webdriver.common.keys import Keys

        self.browser.execute_script("document.activeElement.blur()")
        self.tab_to("[role=tab]")
        for _ in range(5):
            if self.browser.execute_script("return document.activeElement.textContent") == name:
                return
            self.press(Keys.ARROW_RIGHT)
        raise AssertionError(f"no tab {name}")

    def write(self, selector, text):
        """Replace the text of a field that the Tab key reaches."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        self.tab_to(selector)
        ActionChains(self.browser).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).perform()
        self.press(Keys.DELETE, text)

    def check(self):
        """Assert that nothing is wider than the window, and that there was no error and no other host."""
        assert not self.browser.execute_script("return document.documentElement.scrollWidth > window.innerWidth")
        assert [entry["message"] for entry in self.browser.get_log("browser")] == []
        assert not [one.text for one in self.find("[role=alert]")]
        hosts = set()
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                hosts.add(urlsplit(message["params"]["request"]["url"]).netloc)
        assert hosts == {urlsplit(self.browser.current_url).netloc}


def predicted(server, model, inputs, signature="serving_default"):
    body = {"signature_name": signature, "inputs": inputs}
    return requests.post(f"{server.url}/v1/models/{model}:predict", json=body).json()["outputs"]


@pytest.mark.parametrize(("language", "width", "tabs"), VIEWS)
def test_each_task_is_used_by_keyboard(browser, page_server, language, width, tabs):
    from selenium.webdriver.common.keys import Keys

    page = Page(browser, page_server.url, language, width)
    assert tuple(tab.text for tab in page.find("[role=tab]")) == tabs
    classification, generation, translation, requests_of_all = tabs

    text = "A good film, and superb acting."
    page.open(classification)
    page.write("#classified", text)
    expected = predicted(page_server, "sentiment", {"text": [text]}, "explain")
    tokens = [token.replace("\u2581", " ") for token in expected["tokens"][0] if token]
    page.wait_for_texts(".token", tokens)
    answer = predicted(page_server, "sentiment", {"text": [text]})
    page.wait_for_texts(".answer", [f"{answer['label'][0]} {100 * answer['probability'][0]:.1f} %"])
    page.tab_to(".token")
    page.press(Keys.ARROW_RIGHT)
    after = expected["probabilities_after"][0][1][expected["classes"][0].index(expected["label"][0])]
    page.wait(".card [role=status]", f"{after:.3f}")
    page.check()

    page.open(generation)
    page.write("#prompt", "The ")
    page.wait(".bars button")
    page.write("input[type=number]", "30")
    page.tab_to("button.primary")
    page.press(Keys.ENTER)
    numbers = {"length": [30], "temperature": [0.8], "top_k": [0], "top_p": [1.0], "seed": [1]}
    written = predicted(page_server, "chargen", {"prompt": ["The "], **numbers}, "generate")["text"]
    page.wait_for_texts(".generated", written)
    page.check()

    page.open(translation)
    page.write("#translated", "The queen saw the moon.")
    translated = predicted(page_server, "translation", {"text": ["The queen saw the moon."]})["translation"][0]
    page.wait_for_texts(".answer", [translated])
    page.tab_to("button.token")
    page.press(Keys.ARROW_RIGHT)
    assert page.find(".attended")
    page.check()

    page.open(requests_of_all)
    page.tab_to("button.primary")
    page.press(Keys.ENTER)
    page.wait("pre.json", "predictions")
    page.check()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_class_has_one_color_and_the_chart_readable_numbers(browser, page_server, width):
    page = Page(browser, page_server.url, "en", width)
    page.open("Classification")
    text = "Not a good film, and dull acting."
    page.write("#classified", text)
    answer = predicted(page_server, "sentiment", {"text": [text]}, "explain")
    page.wait_for_texts(".token", [token.replace("\u2581", " ") for token in answer["tokens"][0] if token])
    rows, legend, curves, token = browser.execute_script(
        """
        const color = (one, name = "backgroundColor") => getComputedStyle(one)[name];
        const named = (selector, name, part) => Object.fromEntries([...document.querySelectorAll(selector)].map(
          (one) => [name(one), color(part(one))]));
        return [
          named(".bars > span:not(.share)", (one) => one.textContent, (one) => one.nextSibling.firstChild),
          named(".legend span", (one) => one.textContent, (one) => one.firstChild),
          [...document.querySelectorAll("polyline")].map((one) => color(one, "stroke")),
          color(document.querySelector(".token[data-sign='+']"), "borderBottomColor"),
        ];
        """
    )
    assert set(rows) == set(answer["classes"][0]) and len(set(rows.values())) == len(rows)
    assert legend == rows and curves == list(legend.values())
    assert rows[answer["label"][0]] == token  # it speaks for this class
    numbers = [one.size["height"] for one in page.find(".axis span")]
    assert [one.text for one in page.find(".axis span")] == ["1", "0.5", "0"] and max(numbers) <= 20
    page.check()


def test_a_run_shows_its_gates(browser, page_server):
    from selenium.webdriver.common.keys import Keys

    page = Page(browser, page_server.url, "en", 1280)
    page.open("Classification")
    page.wait(".answer")
    page.tab_to("section section button")
    page.press(Keys.ENTER)
    page.wait("canvas")
    assert "forget" in page.texts("section select option")
    page.check()


@pytest.mark.parametrize(
    ("run", "body", "status"),
    [
        ("nothing", {"text": "A film."}, 404),
        (None, {"text": " "}, 400),
        (None, {"words": "A film."}, 400),
        (None, [], 400),
        (None, {"text": "\ud800"}, 400),
        (None, {"text": "A film. " * 1000}, 400),
    ],
)
def test_what_cannot_be_shown_of_a_run_is_named(page_server, run, body, status):
    [listed] = requests.get(f"{page_server.url}/runs").json()["runs"]
    answer = requests.post(f"{page_server.url}/runs/{run or listed['name']}", json=body)
    assert answer.status_code == status and answer.json()["error"]
