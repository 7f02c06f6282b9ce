"""Read the configuration in Django, and read other values in a test.

    confbus demo --stay                                  # in another terminal; it prints its URL
    CONFBUS_URL=unix:///… python examples/11_django.py

A project has the same settings in its settings.py, and runs as it always did.
"""

import os

import django
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.test import Client
from django.urls import path

from confbus.contrib.django import config, override_config


def shipping(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"free_from": config["checkout.free_shipping_from"], "carrier": config["checkout.carriers[0]"]})


urlpatterns = [path("shipping", shipping)]

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["confbus.contrib.django"],
    MIDDLEWARE=["confbus.contrib.django.middleware.PinMiddleware"],
    CONFBUS={"url": os.environ["CONFBUS_URL"], "namespace": "shop"},
)
django.setup()

# Nothing is connected yet; the first read does that.
print(config)
print(Client().get("/shipping").json())

# For the whole process, and only in here. It would do without a server if nothing else were read.
with override_config({"checkout.free_shipping_from": 0}):
    print(Client().get("/shipping").json())
